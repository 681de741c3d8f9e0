// What a configuration file may say, and how it is told what is wrong with it.
#include "runtime/config/config.hpp"

#include "runtime/config/values.hpp"
#include "tests/support/process.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace config = holdfast::config;
namespace fs = std::filesystem;
using holdfast::milliseconds;

namespace {

constexpr const char* pepper = "a pepper of thirty-two bytes, at least";

/// A folder of its own for each test.
struct folder : holdfast::test::temp_folder {
  folder() {
    ::setenv("HOLDFAST_TEST_PEPPER", pepper, 1);
    ::unsetenv("HOLDFAST_TEST_UNSET");
  }

  [[nodiscard]] holdfast::expected<config::node_config> load(const std::string& text) const {
    const auto file = path() / "node.toml";
    std::ofstream{file} << text;
    return config::load(file);
  }

  /// What is wrong with it, the file's folder left out.
  [[nodiscard]] std::string errors(const std::string& text) const {
    const auto loaded = load(text);
    if (loaded)
      return {};
    BOOST_TEST(static_cast<int>(loaded.error().code)
               == static_cast<int>(holdfast::errc::invalid_argument));
    auto detail = loaded.error().detail;
    const auto prefix = path().string() + '/';
    for (auto at = detail.find(prefix); at != std::string::npos; at = detail.find(prefix))
      detail.erase(at, prefix.size());
    return detail;
  }
};

/// Complete, and as short as can be. 15 lines.
const std::string minimal = R"([http]
key_pepper = "${HOLDFAST_TEST_PEPPER}"
[[storage.databases]]
shards = "0-31"
url = "postgresql:///holdfast"
[[gateways]]
name = "alder"
url = "http://127.0.0.1:8082/gateway/alder"
[[acquirers]]
name = "sandbox"
url = "http://127.0.0.1:8082/acquirer/sandbox"
[[routes]]
gateways = ["alder"]
acquirer = "sandbox"
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  BOOST_REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

struct mistake {
  const char* from;
  std::string to;
  const char* told;
};

std::ostream& operator<<(std::ostream& out, const mistake& one) {
  return out << one.to;
}

/// A [cluster] with everything in order but what is given, before [http].
std::string clustered(const std::string& listen, const std::string& more = "# nothing") {
  return "[cluster]\nlisten = \"" + listen
         + "\"\ntls = { certificate = \"c\", key = \"k\", ca = \"a\" }\n" + more + "\n[http]";
}

const std::vector<mistake> mistakes{
  mistake{"[http]", "[http]\nlistne = \"x\"", "node.toml:2: [http]: unknown key \"listne\""},
  mistake{"[http]", "[htpp]", "node.toml:1: unknown key \"htpp\", expected one of node, http"},
  mistake{"[http]", "[http]\nlisten = 8080",
          "node.toml:2: [http] listen: expected a string, got integer"},
  mistake{"[http]", "[http]\nlisten = \"8080\"",
          "node.toml:2: [http] listen: expected host:port"},
  mistake{"[http]", "[http]\nlisten = \"h:70000\"",
          "with a port from 0 to 65535, got \"h:70000\""},
  mistake{"[http]", "[node]\nroles = []\n[http]",
          "node.toml:2: [node] roles: expected at least one"},
  mistake{"[http]", "[node]\nroles = [\"htpp\"]\n[http]",
          "roles: expected one of \"http\" \"shards\", got \"htpp\""},
  mistake{"[http]", "[node]\nid = \"Node 1\"\n[http]", "[node] id: expected 1 to 64 of a-z"},
  mistake{"[http]", "[node]\nlog = { level = \"loud\" }\n[http]",
          "[node] log level: expected one of"},
  mistake{"[http]", "[cluster]\nshards = 0\n[http]",
          "[cluster] shards: expected an integer from 1 to"},
  mistake{"[http]", "[cluster]\nlease = \"3 s\"\n[http]",
          "[cluster] lease: expected a duration from 500ms to 1m, got \"3 s\""},
  mistake{"[http]", "[cluster]\nlisten = \"0.0.0.0:8090\"\n[http]",
          "node.toml:2: [cluster] listen: needs tls"},
  mistake{"[http]", "[cluster]\ntls = { certificate = \"c\", key = \"k\" }\n[http]",
          "[cluster] tls ca: is missing"},
  mistake{"[http]", clustered("0.0.0.0:8090"),
          "node.toml:2: [cluster] listen: needs advertise = \"host:port\" besides"},
  mistake{"[http]", clustered("[::]:8090"), "other nodes can't connect to [::]:8090"},
  mistake{"[http]", clustered("10.0.0.1:8090", "advertise = \"0.0.0.0:8090\""),
          "node.toml:4: [cluster] advertise: expected an address that other nodes can connect"},
  mistake{"[http]", clustered("10.0.0.1:8090", "advertise = \"10.0.0.1:0\""),
          "[cluster] advertise: expected host:port with a port from 1 to 65535"},
  mistake{"[http]", clustered("10.0.0.1:8090", "seeds = [\"10.0.0.2:8090\", \"\"]"),
          "node.toml:4: [cluster] seeds: expected host:port, got \"\""},
  mistake{"[http]", clustered("10.0.0.1:8090", "seeds = [\"10.0.0.2\"]"),
          "[cluster] seeds: expected host:port, got \"10.0.0.2\""},
  mistake{"[http]", clustered("10.0.0.1:8090", "seeds = \"10.0.0.2:8090\""),
          "[cluster] seeds: expected a list of strings"},
  mistake{"[http]", "[cluster]\nseeds = [\"10.0.0.2:8090\"]\n[http]",
          "node.toml:2: [cluster] seeds: needs listen = \"host:port\""},
  mistake{"[http]", "[cluster]\nadvertise = \"10.0.0.2:8090\"\n[http]",
          "node.toml:2: [cluster] advertise: needs listen"},
  mistake{"shards = \"0-31\"", "shards = \"0-30\"", "no database has shard 31 of 0-31"},
  mistake{"shards = \"0-31\"", "shards = \"0-32\"", "goes beyond the last shard, 31"},
  mistake{"shards = \"0-31\"", "shards = \"31-0\"",
          "node.toml:4: [[databases]] shards: expected a range"},
  mistake{"[[gateways]]",
          "[[storage.databases]]\nshards = \"7\"\nurl = \"postgresql:///b\"\n[[gateways]]",
          "node.toml:7: [[databases]] shards: overlaps the range 0-31"},
  mistake{"shards = \"0-31\"",
          "shards = \"16-31\"\nurl = \"postgresql:///holdfast\"\n"
          "[[storage.databases]]\nshards = \"0-15\"",
          "node.toml:8: [[databases]] url: is that of another range too"},
  mistake{"postgresql:///holdfast", "mysql://u:hunter2@h/d",
          "node.toml:5: [[databases]] url: expected postgresql://"},
  mistake{"http://127.0.0.1:8082/gateway/alder", "ftp://x",
          "node.toml:8: [[gateways]] url: expected http://host:port, got \"ftp://x\""},
  mistake{"[[acquirers]]", "timeout = 3\n[[acquirers]]",
          "node.toml:9: [[gateways]] timeout: expected a string, got integer"},
  mistake{"[[acquirers]]", "breaker = { error_rate = 2.0 }\n[[acquirers]]",
          "breaker error_rate: expected a number from 0.01 to 1"},
  mistake{"[[acquirers]]",
          "[[gateways]]\nname = \"alder\"\nurl = \"http://h:1\"\n[[acquirers]]",
          "node.toml:10: [[gateways]] name: \"alder\" is taken"},
  mistake{
    "gateways = [\"alder\"]", "gateways = [\"birch\"]",
    "node.toml:13: [[routes]] gateways: expected the name of a [[gateways]], got \"birch\""},
  mistake{"gateways = [\"alder\"]", "gateways = []",
          "[[routes]] gateways: expected at least one gateway"},
  mistake{"acquirer = \"sandbox\"", "acquirer = \"other\"",
          "node.toml:14: [[routes]] acquirer: expected the name of an [[acquirers]]"},
  mistake{"acquirer = \"sandbox\"", "currency = \"EURO\"\nacquirer = \"sandbox\"",
          "[[routes]] currency: expected \"*\" or an ISO 4217 code"},
  mistake{
    "[[acquirers]]", "breaker = { calls_min = 20 }\n[[acquirers]]",
    "node.toml:9: [[gateways]] breaker: unknown key \"calls_min\", expected one of window"},
  mistake{"[[acquirers]]", "breaker = { slow_call = 2 }\n[[acquirers]]",
          "node.toml:9: [[gateways]] breaker slow_call: expected a string, got integer"},
  mistake{"[[acquirers]]", "breaker = { probes = 2, probe_successes = 3 }\n[[acquirers]]",
          "breaker probe_successes: expected an integer from 1 to 2"},
  mistake{"[[acquirers]]", "breaker = { retry_share = -0.1 }\n[[acquirers]]",
          "breaker retry_share: expected a number from 0 to 1"},
  mistake{"[[acquirers]]", "breaker = { recovery_rate = 0 }\n[[acquirers]]",
          "breaker recovery_rate: expected an integer from 1 to"},
  mistake{"acquirer = \"sandbox\"", "currency = [\"EUR\", \"*\"]\nacquirer = \"sandbox\"",
          "node.toml:14: [[routes]] currency: expected \"*\" or an ISO 4217 code"},
  mistake{"acquirer = \"sandbox\"", "currency = []\nacquirer = \"sandbox\"",
          "[[routes]] currency: expected at least one, or \"*\" for any"},
  mistake{"acquirer = \"sandbox\"", "brand = \"vista\"\nacquirer = \"sandbox\"",
          "node.toml:14: [[routes]] brand: expected \"*\", \"visa\""},
  mistake{"acquirer = \"sandbox\"", "merchant = \"me\"\nacquirer = \"sandbox\"",
          "[[routes]] merchant: expected \"*\" or a merchant's id (mer_…), got \"me\""},
  mistake{"acquirer = \"sandbox\"", "priority = -1\nacquirer = \"sandbox\"",
          "[[routes]] priority: expected an integer from 0"},
  mistake{"acquirer = \"sandbox\"", "weights = [70, 30]\nacquirer = \"sandbox\"",
          "node.toml:14: [[routes]] weights: expected one for each of the 1 gateways"},
  mistake{"acquirer = \"sandbox\"", "weights = [0]\nacquirer = \"sandbox\"",
          "[[routes]] weights: expected at least one above 0"},
  mistake{"acquirer = \"sandbox\"", "weights = [\"70\"]\nacquirer = \"sandbox\"",
          "[[routes]] weights: expected a list of integers from 0 to"},
  mistake{"acquirer = \"sandbox\"", "acquirer = \"sandbox\"\n[settlement]\ncutoff = \"25:00\"",
          "[settlement] cutoff: expected a time of day"},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[settlement]\nzone = \"Mars/Olympus\"",
          "[settlement] zone: expected an IANA time zone"},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[payments]\nresolve_within = \"0s\"",
          "node.toml:16: [payments] resolve_within: expected a duration from 1s"},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[payments]\nunknown_outcome = \"failover\"",
          "[payments] unknown_outcome: expected one of \"resolve_then_fail\""},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[payments]\nretryable_declines = [\"stolen_card\"]",
          "[payments] retryable_declines: expected a decline that another gateway may not"},
  mistake{"acquirer = \"sandbox\"", "acquirer = \"sandbox\"\n[payments.expiry]\nvisa = \"0s\"",
          "visa: expected a duration from 1s"},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[payments.expiry]\nmaestro = \"7d\"", "node.toml:16: "},
  mistake{"acquirer = \"sandbox\"",
          "acquirer = \"sandbox\"\n[payments]\nauthorization_lifetime = \"7d\"",
          "[payments]: unknown key \"authorization_lifetime\""},
  mistake{
    "HOLDFAST_TEST_PEPPER", "HOLDFAST_TEST_UNSET",
    "node.toml:2: [http] key_pepper: the environment variable HOLDFAST_TEST_UNSET is not set"},
  mistake{"key_pepper = \"${HOLDFAST_TEST_PEPPER}\"", "", "key_pepper is missing"},
  mistake{"[http]", "[http", "node.toml:1: not TOML"},
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(configuration, folder)

BOOST_AUTO_TEST_CASE(minimal_file_has_the_documented_defaults) {
  const auto loaded = load(minimal);
  BOOST_REQUIRE_MESSAGE(loaded, errors(minimal));
  BOOST_TEST(loaded->id == "node-1");
  BOOST_TEST(loaded->serve_http);
  BOOST_TEST(loaded->serve_shards);
  BOOST_TEST(loaded->key_pepper == pepper);
  BOOST_TEST(loaded->http.listen == "127.0.0.1:8080");
  BOOST_TEST(loaded->admin_listen == "127.0.0.1:8081");
  BOOST_TEST(loaded->shards == 32);
  BOOST_TEST(loaded->lease.count() == 3'000);
  BOOST_TEST(loaded->databases.at(0).last_shard == 31);
  BOOST_TEST(loaded->routes.at(0).merchant.empty());
  BOOST_TEST(loaded->routes.at(0).priority == 100U);
  BOOST_TEST(loaded->routes.at(0).line == 12U);
  BOOST_TEST(loaded->settlement.cutoff == "23:30");
}

BOOST_AUTO_TEST_CASE(several_databases_are_put_in_the_order_of_their_shards) {
  const auto several =
    replaced(minimal, "shards = \"0-31\"\nurl = \"postgresql:///holdfast\"",
             "shards = \"20-31\"\nurl = \"postgresql:///c\"\n"
             "[[storage.databases]]\nshards = \"0-9\"\n"
             "url = \"postgresql://h,i/a?target_session_attrs=read-write\"\n"
             "[[storage.databases]]\nshards = \"10-19\"\nurl = \"postgresql:///b\"");
  const auto loaded = load(several);
  BOOST_REQUIRE_MESSAGE(loaded, errors(several));
  const auto layout = config::layout_of(*loaded);
  BOOST_TEST(layout.count() == 32);
  BOOST_REQUIRE(layout.ranges().size() == 3U);
  BOOST_TEST((layout.ranges()[1] == holdfast::shard_range{{10}, {19}}));
  BOOST_TEST(loaded->databases[1].url == "postgresql:///b");
}

BOOST_DATA_TEST_CASE(a_mistake_is_told_with_its_line, mistakes, one) {
  const auto told = errors(replaced(minimal, one.from, one.to));
  BOOST_TEST(told.find(one.told) != std::string::npos, "got: " << told);
}

BOOST_AUTO_TEST_CASE(all_mistakes_are_told_at_once_in_the_order_of_the_file) {
  auto text = replaced(minimal, "[http]", "[http]\nlisten = \"nowhere\"");
  text = replaced(text, "acquirer = \"sandbox\"",
                  "acquirer = \"other\"\n[settlement]\nmax_items = -1");
  const auto told = errors(text);
  const auto first = told.find("node.toml:2: ");
  const auto second = told.find("\nnode.toml:15: ");
  const auto third = told.find("\nnode.toml:17: ");
  BOOST_TEST(first == 0U);
  BOOST_TEST(second != std::string::npos, told);
  BOOST_TEST(third != std::string::npos, told);
  BOOST_TEST((first < second && second < third));
}

BOOST_AUTO_TEST_CASE(secrets_are_never_told) {
  BOOST_TEST(
    errors(replaced(minimal, "postgresql:///holdfast", "mysql://u:hunter2@h/d")).find("hunter2")
    == std::string::npos);
  ::setenv("HOLDFAST_TEST_PEPPER", "too short", 1);
  const auto told = errors(minimal);
  BOOST_TEST(told.find("expected at least 32 bytes") != std::string::npos, told);
  BOOST_TEST(told.find("too short") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_told_by_its_name) {
  const auto loaded = config::load(path() / "none.toml");
  BOOST_REQUIRE(!loaded);
  BOOST_TEST(loaded.error().detail.find("none.toml:1: there is no such file")
             != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back_the_same) {
  auto loaded = load(minimal);
  BOOST_REQUIRE(loaded);
  auto& given = *loaded;
  given.id = "node-7";
  given.serve_shards = false;
  given.log_format = "text";
  given.key_pepper = "quotes \" and \\ and a tab \t are no trouble to the writer";
  given.http.listen = "[::1]:0";
  given.http.requests_per_second = 9;
  given.cluster_listen = "127.0.0.1:8090";
  given.cluster_advertise = "10.0.0.1:18090";
  given.cluster_seeds = {"a:1", "b:2"};
  given.cluster_tls = config::tls_files{"c.crt", "c.key", "ca.crt"};
  given.lease = milliseconds{1'500};
  given.gateways[0].breaker.error_rate = 0.25;
  given.gateways[0].breaker.slow_call = milliseconds{750};
  given.gateways[0].breaker.probe_successes = 2;
  given.gateways[0].breaker.retry_share = 0.5;
  given.routes[0].currency = {"EUR", "USD"};
  given.routes[0].brand = {"visa"};
  given.routes[0].priority = 7;
  given.routes[0].weights = {70};
  given.gateways[0].settle_time = milliseconds{0};
  given.gateways[0].unknown_outcome = "resolve_then_failover";
  given.gateways[0].webhook_secret = "a secret of the gateway";
  given.payments.expiry = milliseconds{90'000};
  given.payments.expiry_by_brand = {{"mastercard", std::chrono::hours{24 * 30}}};
  given.payments.retryable_declines = {};
  given.payments.resolve_within = std::chrono::hours{2};
  const auto text = config::to_toml(given);
  const auto again = load(text);
  BOOST_REQUIRE_MESSAGE(again, errors(text));
  BOOST_TEST(again->key_pepper == given.key_pepper);
  BOOST_TEST(again->gateways[0].webhook_secret == given.gateways[0].webhook_secret);
  BOOST_TEST(again->gateways[0].breaker.error_rate == 0.25);
  BOOST_TEST(again->gateways[0].breaker.probe_successes == 2U);
  BOOST_TEST(again->routes[0].currency == given.routes[0].currency,
             boost::test_tools::per_element());
  BOOST_TEST(again->routes[0].region.empty());
  BOOST_TEST(again->cluster_advertise == given.cluster_advertise);
  BOOST_TEST(again->cluster_seeds == given.cluster_seeds, boost::test_tools::per_element());
  BOOST_TEST(again->cluster_tls.value().ca == "ca.crt");
  BOOST_TEST(again->routes[0].weights.at(0) == 70U);
  BOOST_TEST(again->gateways[0].unknown_outcome == "resolve_then_failover");
  BOOST_TEST(again->payments.retryable_declines.empty());
  BOOST_CHECK(again->payments.expiry_by_brand == given.payments.expiry_by_brand);
  BOOST_TEST(config::to_toml(*again) == text);
}

BOOST_AUTO_TEST_CASE(a_node_of_a_cluster_is_reached_where_it_listens_or_says_so) {
  const auto plain = load(replaced(minimal, "[http]", clustered("10.0.0.1:8090")));
  BOOST_REQUIRE(plain);
  BOOST_TEST(plain->cluster_advertise == "10.0.0.1:8090");
  BOOST_TEST(!plain->cluster_insecure_loopback);
  const auto behind = load(replaced(
    minimal, "[http]", clustered("0.0.0.0:8090", "advertise = \"db-7.internal:18090\"")));
  BOOST_REQUIRE(behind);
  BOOST_TEST(behind->cluster_advertise == "db-7.internal:18090");
}

BOOST_AUTO_TEST_CASE(links_without_tls_are_for_127_0_0_1_and_the_command_line_alone) {
  const auto insecure = [&](const std::string& cluster) {
    const auto file = path() / "node.toml";
    std::ofstream{file} << replaced(minimal, "[http]", "[cluster]\n" + cluster + "\n[http]");
    return config::load(file, config::loopback::insecure);
  };
  const auto fine = insecure("listen = \"127.0.0.1:0\"");
  BOOST_REQUIRE(fine);
  BOOST_TEST(fine->cluster_insecure_loopback);
  BOOST_TEST(fine->cluster_advertise == "127.0.0.1:0");
  const auto outside = insecure("listen = \"10.0.0.1:8090\"");
  BOOST_REQUIRE(!outside);
  BOOST_TEST(outside.error().detail.find("--insecure-loopback goes with 127.0.0.1 alone")
             != std::string::npos);
  for (const char* key : {"seeds = [\"127.0.0.1:8091\", \"10.0.0.2:8090\"]",
                          "seeds = [\"localhost:8090\"]", "advertise = \"node-1:8090\""}) {
    const auto away = insecure("listen = \"127.0.0.1:0\"\n" + std::string{key});
    BOOST_REQUIRE(!away);
    BOOST_TEST(away.error().detail.find("--insecure-loopback goes with 127.0.0.1 alone")
               != std::string::npos);
  }
  BOOST_TEST(insecure("listen = \"127.0.0.1:0\"\nseeds = [\"127.0.0.1:8091\"]").has_value());
  const auto secured = insecure(
    "listen = \"127.0.0.1:0\"\ntls = { certificate = \"c\", key = \"k\", ca = \"a\" }");
  BOOST_REQUIRE(secured);
  BOOST_TEST(!secured->cluster_insecure_loopback);
}

BOOST_AUTO_TEST_CASE(the_examples_load) {
  const char* source = std::getenv("HOLDFAST_SOURCE_DIR");
  BOOST_REQUIRE_MESSAGE(source, "run by ctest");
  ::setenv("HOLDFAST_KEY_PEPPER", pepper, 1);
  ::setenv("HOLDFAST_WEBHOOK_SECRET", "a secret of the sandbox", 1);
  ::setenv("HOLDFAST_DB_PASSWORD", "secret", 1);
  ::setenv("HOLDFAST_DATABASE_A", "postgresql:///holdfast_a", 1);
  ::setenv("HOLDFAST_DATABASE_B", "postgresql:///holdfast_b", 1);
  for (const char* name : {"config/dev.toml", "config/node.toml", "config/cluster/node-1.toml",
                           "config/cluster/node-2.toml", "config/cluster/node-3.toml"}) {
    const auto loaded = config::load(fs::path{source} / name);
    BOOST_TEST(loaded.has_value(), (loaded ? std::string{} : loaded.error().detail));
  }
}

BOOST_AUTO_TEST_CASE(durations_are_a_whole_number_and_a_unit) {
  for (const char* text : {"0ms", "250ms", "3s", "90s", "2m", "1h", "7d"}) {
    const auto parsed = config::parse_duration(text);
    BOOST_REQUIRE_MESSAGE(parsed, text);
    if (std::string_view{text} != "90s")
      BOOST_TEST(config::duration_text(*parsed) == text);
  }
  for (const char* text : {"", "3", "s", "-1s", "1.5s", "3 s", "3S", "3sec",
                           "9999999999999999999s", "9223372036854775807d"})
    BOOST_TEST(!config::parse_duration(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
