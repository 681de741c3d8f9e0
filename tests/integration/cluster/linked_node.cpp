#include "tests/integration/cluster/linked_node.hpp"

#include "actors/protocol.hpp"

#include <boost/test/unit_test.hpp>
#include <openssl/rand.h>

#include <fstream>
#include <stdexcept>

namespace holdfast::test {

namespace {

std::uint64_t random_number() {
  std::uint64_t value = 0;
  RAND_bytes(reinterpret_cast<unsigned char*>(&value), sizeof value);
  return value;
}

config::node_config settings_of(const linked_options& options) {
  config::node_config settings;
  settings.id = options.id;
  settings.cluster_name = options.cluster;
  settings.cluster_listen = options.listen;
  settings.cluster_advertise = options.advertise;
  settings.cluster_seeds = options.seeds;
  settings.cluster_tls = options.tls;
  settings.cluster_insecure_loopback = !options.tls;
  settings.shards = options.shards;
  return settings;
}

/// The value, or the end of the test with the error's words.
template <class T>
T must(expected<T> result) {
  if (!result)
    throw std::runtime_error(result.error().detail);
  return std::move(*result);
}

} // namespace

notary::notary(const std::string& name)
  : authority_(must(embedded::make_authority(name, embedded::authority_days))) {}

config::tls_files notary::files_for(const std::string& node, int days) const {
  const auto made = must(embedded::issue(authority_, node, {"127.0.0.1"}, days));
  const auto stem = (folder_.path() / (node + '-' + std::to_string(++made_))).string();
  config::tls_files files{stem + ".pem", stem + ".key", stem + ".ca"};
  std::ofstream{files.certificate} << made.certificate_pem;
  std::ofstream{files.key} << made.key_pem;
  std::ofstream{files.ca} << authority_.certificate_pem;
  return files;
}

links::peer_service echo_service() {
  return [](const std::string&, const links::peer_request& what, milliseconds,
            const std::function<void(links::peer_answer)>& done) {
    api_reply reply;
    reply.status = 200;
    if (const auto* asked = std::get_if<links::command_for_shard>(&what)) {
      reply.body = asked->command.request_id;
      return done(reply);
    }
    done(links::accepted{});
  };
}

links::peer_request echo_request(const std::string& id, std::size_t bytes) {
  merchant_command command;
  command.request_id = id;
  create_payment create;
  create.total = {minor_units{100}, *currency::parse("EUR")};
  create.description = std::string(bytes, 'x');
  command.action = create;
  return links::command_for_shard{{1}, command};
}

linked_node::linked_node(linked_options options)
  : marks_(std::make_shared<storage::sequence_marks>(options.shards)) {
  const auto settings = settings_of(options);
  auto security = must(cluster::prepare_links(settings, caf_settings_));
  system_ = std::make_unique<caf::actor_system>(caf_settings_);
  cluster::link_options given;
  given.cluster_id = options.cluster_id;
  given.incarnation = std::to_string(random_number());
  given.started_at = wall_clock_now();
  given.marks = marks_;
  given.service = options.service ? std::move(options.service) : echo_service();
  given.random = random_number;
  given.log = [this](actors::severity, const std::string& line) {
    const std::lock_guard lock{mutex_};
    lines_.push_back(line);
  };
  links_ = must(
    cluster::cluster_links::open(*system_, settings, std::move(security), std::move(given)));
}

linked_node::~linked_node() {
  stop();
}

std::future<links::peer_outcome> linked_node::start(const std::string& node,
                                                    links::peer_request what,
                                                    milliseconds deadline) {
  auto promise = std::make_shared<std::promise<links::peer_outcome>>();
  port().ask(node, std::move(what), deadline, [promise](links::peer_outcome outcome) {
    promise->set_value(std::move(outcome));
  });
  return promise->get_future();
}

links::peer_outcome linked_node::ask(const std::string& node, links::peer_request what,
                                     milliseconds deadline) {
  auto outcome = start(node, std::move(what), deadline);
  if (outcome.wait_for(deadline + milliseconds{2'000}) != std::future_status::ready)
    throw std::runtime_error("a request without an end");
  return outcome.get();
}

std::size_t linked_node::said(const std::string& words) const {
  const std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(std::ranges::count_if(
    lines_, [&](const auto& line) { return line.find(words) != std::string::npos; }));
}

std::string linked_node::log() const {
  const std::lock_guard lock{mutex_};
  std::string text;
  for (const auto& line : lines_)
    text += line + '\n';
  return text;
}

void linked_node::stop() {
  links_.reset();
  system_.reset();
}

} // namespace holdfast::test
