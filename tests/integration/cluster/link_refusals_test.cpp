// Who gets no link, and what both sides say about it.
#include "actors/protocol.hpp"
#include "messages/envelope.hpp"
#include "messages/limits.hpp"
#include "runtime/cluster/credentials.hpp"
#include "tests/integration/cluster/linked_node.hpp"

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/test/unit_test.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/io/basp/header.hpp>
#include <caf/openssl/all.hpp>
#include <caf/scoped_actor.hpp>

#include <fstream>
#include <limits>

namespace holdfast::test {

namespace {

using cluster::node_credentials;

struct one_node {
  notary authority{"the authority"};
  notary other_authority{"the other authority"};

  linked_options options_for(const std::string& id, std::vector<std::string> seeds = {}) const {
    linked_options options;
    options.id = id;
    options.seeds = std::move(seeds);
    options.tls = authority.files_for(id);
    return options;
  }
};

/// What a node with these files says instead of starting; empty when it starts.
std::string refusal_of(const config::tls_files& files, const std::string& node = "node-1") {
  const auto loaded = node_credentials::load(files, node);
  if (loaded)
    return "";
  BOOST_TEST((loaded.error().code == errc::invalid_argument));
  return loaded.error().detail;
}

bool says(const std::string& text, const std::string& words) {
  BOOST_TEST(text.find(words) != std::string::npos,
             '"' << text << "\" without \"" << words << '"');
  return text.find(words) != std::string::npos;
}

/// A TLS client that is no node: true when the cluster port has let it in.
bool is_let_in(std::uint16_t port, const std::optional<config::tls_files>& shown) {
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  if (shown) {
    tls.use_certificate_chain_file(shown->certificate);
    tls.use_private_key_file(shown->key, asio::ssl::context::pem);
  }
  asio::ssl::stream<asio::ip::tcp::socket> stream{io, tls};
  stream.lowest_layer().connect({asio::ip::address_v4::loopback(), port});
  boost::system::error_code failed;
  stream.handshake(asio::ssl::stream_base::client, failed);
  std::array<char, 16> first{};
  return !failed && stream.read_some(asio::buffer(first), failed) > 0 && !failed;
}

/// Whether the port ends the connection of a client that has this certificate, when it
/// announces a message of so many bytes and begins to send it.
bool cuts_off(std::uint16_t port, const config::tls_files& shown, std::size_t bytes) {
  namespace asio = boost::asio;
  asio::io_context io;
  asio::ssl::context tls{asio::ssl::context::tls_client};
  tls.use_certificate_chain_file(shown.certificate);
  tls.use_private_key_file(shown.key, asio::ssl::context::pem);
  asio::ssl::stream<asio::ip::tcp::socket> stream{io, tls};
  stream.lowest_layer().connect({asio::ip::address_v4::loopback(), port});
  stream.handshake(asio::ssl::stream_base::client);
  caf::byte_buffer header;
  caf::binary_serializer sink{nullptr, header};
  BOOST_REQUIRE(
    sink.apply(caf::io::basp::header{caf::io::basp::message_type::client_handshake, 0,
                                     static_cast<std::uint32_t>(bytes), 0, 0, 0}));
  asio::write(stream, asio::buffer(header));
  // What it has said of itself, and then nothing more or the end.
  bool has_ended = false;
  std::array<char, 1'024> said{};
  const std::function<void()> read = [&] {
    stream.async_read_some(asio::buffer(said), [&](const auto& failed, std::size_t) {
      has_ended = static_cast<bool>(failed);
      if (!has_ended)
        read();
    });
  };
  read();
  io.run_for(std::chrono::milliseconds{1'000});
  return has_ended;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(node_link_refusals, one_node)

BOOST_AUTO_TEST_CASE(a_node_without_fitting_files_does_not_start) {
  const auto good = authority.files_for("node-1");
  BOOST_TEST(refusal_of(good) == "");

  auto files = good;
  files.certificate += ".gone";
  says(refusal_of(files), "certificate " + files.certificate + " cannot be read: No such file");
  files = good;
  files.key = authority.files_for("node-1").key;
  says(refusal_of(files), "is not that of the certificate " + files.certificate);
  files = good;
  files.key = good.certificate;
  says(refusal_of(files), "holds no key in PEM");
  files = good;
  files.ca = good.key;
  says(refusal_of(files), "holds no certificate in PEM");
  files = good;
  files.ca = other_authority.files_for("node-1").ca;
  says(refusal_of(files),
       "is signed by another authority; the authority is that of " + files.ca);
  says(refusal_of(authority.files_for("node-1", 0)), "has expired");
  says(refusal_of(authority.files_for("node-9")), R"(names "node-9")");
  says(refusal_of(authority.files_for("node-9")), R"(not "node-1")");
}

BOOST_AUTO_TEST_CASE(a_cluster_port_without_tls_is_for_loopback_alone) {
  config::node_config settings;
  settings.cluster_listen = "127.0.0.1:0";
  caf::actor_system_config caf_settings;
  const auto refused = cluster::prepare_links(settings, caf_settings);
  BOOST_REQUIRE(refused.has_error());
  says(refused.error().detail, "--insecure-loopback");
  settings.cluster_insecure_loopback = true;
  settings.cluster_listen = "0.0.0.0:0";
  BOOST_TEST(cluster::prepare_links(settings, caf_settings).has_error());
  settings.cluster_listen = "127.0.0.1:0";
  BOOST_TEST(cluster::prepare_links(settings, caf_settings).has_value());
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_named) {
  linked_node first{options_for("node-1")};
  auto second = options_for("node-2");
  second.listen = first.address();
  BOOST_CHECK_EXCEPTION(linked_node{second}, std::runtime_error, [&](const auto& failed) {
    return says(failed.what(), first.address() + " cannot be listened on");
  });
}

BOOST_AUTO_TEST_CASE(a_certificate_proves_one_node_and_its_own_key) {
  const auto one = *node_credentials::load(authority.files_for("node-1"), "node-1");
  const auto two = *node_credentials::load(authority.files_for("node-2"), "node-2");
  const auto signature = *one->sign("what was said");
  BOOST_TEST(two->verify(one->certificate(), "node-1", "what was said", signature).has_value());
  const auto why = [&](const auto& certificate, const std::string& node, const auto& said,
                       const auto& signed_) {
    const auto fine = two->verify(certificate, node, said, signed_);
    return fine ? std::string{} : fine.error().detail;
  };
  says(why(one->certificate(), "node-3", "what was said", signature), R"(not "node-3")");
  says(why(one->certificate(), "node-1", "something else", signature), "does not have the key");
  says(why(two->certificate(), "node-2", "what was said", signature), "does not have the key");
  says(why("", "node-1", "what was said", signature), "was not shown");
  const auto stranger = *node_credentials::load(other_authority.files_for("node-1"), "node-1");
  says(why(stranger->certificate(), "node-1", "x", *stranger->sign("x")),
       "is signed by another authority");
}

BOOST_AUTO_TEST_CASE(another_authority_is_named_on_both_sides) {
  linked_node first{options_for("node-1")};
  auto stranger = options_for("node-2", {first.address()});
  stranger.tls = other_authority.files_for("node-2");
  linked_node second{stranger};
  BOOST_TEST(
    eventually(links_up_in,
               [&] {
                 return second.said("its certificate is signed by another authority") == 1
                        && first.said("does not accept our certificate: unknown CA") == 1;
               }),
    first << second);
  BOOST_TEST(!first.reaches("node-2"));
  BOOST_TEST(!second.reaches("node-1"));
  // It tries again and again, and both say so once.
  BOOST_TEST(!eventually(milliseconds{2'000}, [&] {
    return second.said("another authority") > 1 || first.said("a connection from") > 1;
  }));
}

BOOST_AUTO_TEST_CASE(who_shows_no_certificate_is_turned_away) {
  linked_node first{options_for("node-1")};
  BOOST_TEST(!is_let_in(first.listen_port(), std::nullopt));
  BOOST_TEST(eventually(links_up_in, [&] { return first.said("shown no certificate") == 1; }));
  BOOST_TEST(is_let_in(first.listen_port(), authority.files_for("node-2")));
}

BOOST_AUTO_TEST_CASE(an_expired_or_foreign_certificate_is_turned_away_by_name) {
  linked_node first{options_for("node-1")};
  BOOST_TEST(!is_let_in(first.listen_port(), authority.files_for("node-2", 0)));
  BOOST_TEST(
    eventually(links_up_in, [&] { return first.said("its certificate has expired") == 1; }),
    first);
  BOOST_TEST(!is_let_in(first.listen_port(), other_authority.files_for("node-2")));
  BOOST_TEST(eventually(links_up_in, [&] {
    return first.said("its certificate is signed by another authority") == 1;
  }));
}

BOOST_AUTO_TEST_CASE(strangers_end_no_link_of_others) {
  linked_node first{options_for("node-1")};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(eventually(
    links_up_in, [&] { return first.reaches("node-2") && second.reaches("node-1"); }));
  namespace asio = boost::asio;
  asio::io_context io;
  for (int i = 0; i < 20; ++i) {
    BOOST_TEST(!is_let_in(first.listen_port(), std::nullopt));
    BOOST_TEST(!is_let_in(first.listen_port(), other_authority.files_for("node-3")));
    BOOST_TEST(is_let_in(first.listen_port(), authority.files_for("node-3")));
    asio::ip::tcp::socket stranger{io};
    stranger.connect({asio::ip::address_v4::loopback(), first.listen_port()});
    asio::write(stranger, asio::buffer(std::string_view{"GET / HTTP/1.1\r\n\r\n"}));
    BOOST_TEST(second.ask("node-1", echo_request("x")).has_value());
  }
  BOOST_TEST(first.said("no link to") == 0U, first);
  BOOST_TEST(second.said("no link to") == 0U, second);
  BOOST_TEST(first.said("it doesn't speak TLS") == 1U, first);
}

BOOST_AUTO_TEST_CASE(plain_text_and_tls_do_not_meet) {
  linked_node secure{options_for("node-1")};
  linked_options open;
  open.id = "node-2";
  open.seeds = {secure.address()};
  linked_node plain{open};
  auto third = options_for("node-3", {plain.address()});
  linked_node also_secure{third};
  BOOST_TEST(eventually(links_up_in,
                        [&] {
                          return also_secure.said("it speaks plain text, and not TLS") == 1
                                 && plain.said("it takes connections and doesn't answer") == 1;
                        }),
             also_secure << plain);
  BOOST_TEST(!plain.reaches("node-1"));
  BOOST_TEST(!also_secure.reaches("node-2"));
}

BOOST_AUTO_TEST_CASE(two_in_plain_text_are_linked_on_loopback) {
  linked_options open;
  open.id = "node-1";
  linked_node first{open};
  open.id = "node-2";
  open.seeds = {first.address()};
  linked_node second{open};
  BOOST_TEST(eventually(links_up_in,
                        [&] { return first.reaches("node-2") && second.reaches("node-1"); }),
             first << second);
}

BOOST_AUTO_TEST_CASE(plain_text_goes_nowhere_but_to_loopback) {
  linked_options open;
  open.id = "node-1";
  linked_node first{open};
  const auto port = ':' + std::to_string(first.listen_port());
  open.id = "node-2";
  open.seeds = {"localhost" + port};
  open.advertise = "127.0.0.2" + port;
  linked_node second{open};
  BOOST_TEST(
    second.said("no link to localhost" + port + ", nor to any other than 127.0.0.1") == 1U,
    second);
  BOOST_TEST(second.port().status().empty());
  second.port().know({"127.0.0.2" + port, "[::1]" + port});
  BOOST_TEST(second.port().status().empty());
  BOOST_TEST(second.said("no link to") == 1U, second);
  // Nor when a peer says that it listens elsewhere.
  second.port().know({first.address()});
  BOOST_TEST(eventually(links_up_in, [&] {
    return second.reaches("node-1") && first.said("no link to 127.0.0.2" + port) == 1;
  }));
  BOOST_TEST(!first.reaches("node-2"));
}

BOOST_AUTO_TEST_CASE(another_cluster_or_shard_count_is_named_on_both_sides) {
  linked_node first{options_for("node-1")};
  auto other_name = options_for("node-2", {first.address()});
  other_name.cluster = "staging";
  linked_node second{other_name};
  const std::string name = R"(cluster name: node-1 belongs to "test", node-2 to "staging")";
  BOOST_TEST(eventually(links_up_in, [&] { return first.said(name) && second.said(name); }),
             first << second);
  auto other_count = options_for("node-3", {first.address()});
  other_count.shards = 16;
  linked_node third{other_count};
  const std::string count = "shard count: node-1 has 8, node-3 has 16";
  BOOST_TEST(eventually(links_up_in, [&] { return first.said(count) && third.said(count); }),
             first << third);
  BOOST_TEST(!eventually(milliseconds{2'000}, [&] {
    return first.said(name) > 1 || second.said(name) > 1 || third.said(count) > 1;
  }));
}

BOOST_AUTO_TEST_CASE(
  a_clone_is_told_by_its_cluster_id_and_what_it_knows_of_shards_is_not_heard) {
  auto original = options_for("node-1");
  original.cluster_id.bytes.fill(0x01);
  linked_node first{original};
  auto clone = options_for("node-2", {first.address()});
  clone.cluster_id.bytes.fill(0x02);
  linked_node second{clone};
  second.marks().note({3}, {1'000});
  const std::string words =
    "cluster id: node-1 belongs to 01010101010101010101010101010101, node-2 to "
    "02020202020202020202020202020202, which has the same name";
  BOOST_TEST(eventually(links_up_in, [&] { return first.said(words) && second.said(words); }),
             first << second);
  BOOST_TEST(!eventually(milliseconds{2'000}, [&] {
    return first.said(words) > 1 || second.said(words) > 1 || first.reaches("node-2")
           || second.reaches("node-1") || first.marks().known({3}).value > 0;
  }));
}

/// Of a connection that is in TLS, by a client that has a node's certificate and is none.
BOOST_AUTO_TEST_CASE(who_announces_a_message_that_is_too_long_is_cut_off) {
  linked_node first{options_for("node-1")};
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_REQUIRE(eventually(
    links_up_in, [&] { return first.reaches("node-2") && second.reaches("node-1"); }));
  const auto files = authority.files_for("node-3");
  BOOST_TEST(!cuts_off(first.listen_port(), files, limits::link_message_bytes_max));
  BOOST_TEST(cuts_off(first.listen_port(), files, limits::link_message_bytes_max + 1));
  BOOST_TEST(cuts_off(first.listen_port(), files, std::numeric_limits<std::uint32_t>::max()));
  BOOST_TEST(
    first.said("to the cluster port: it announces a message of 4294967295 bytes") == 1U, first);
  // The largest of ours get through.
  BOOST_TEST(
    second.ask("node-1", echo_request("x", limits::link_frame_bytes_max - 4'096)).has_value());
  BOOST_TEST(first.said("no link to") == 0U, first);
}

BOOST_AUTO_TEST_CASE(another_protocol_version_is_refused_by_its_numbers) {
  linked_node first{options_for("node-1")};
  linked_node other{options_for("node-2")};
  auto door = caf::openssl::remote_actor(other.system(), "127.0.0.1", first.listen_port());
  BOOST_REQUIRE(door);
  links::introduction newer;
  newer.oldest_protocol = 7;
  newer.newest_protocol = 9;
  newer.cluster = "test";
  newer.node = "node-2";
  newer.program = "9.0.0";
  newer.shards = 8;
  newer.nonce = std::string(32, 'n');
  newer.io_node = to_string(other.system().node());
  caf::scoped_actor self{other.system()};
  self->send(caf::actor_cast<caf::actor>(*door),
             actors::frame{caf::actor_cast<caf::strong_actor_ptr>(self),
                           encode(links::envelope{.body = links::hello{newer}})});
  std::string why;
  self->receive(
    [&](const actors::frame& m) {
      const auto heard = links::decode_envelope(m.bytes);
      BOOST_REQUIRE(heard);
      why = std::get<links::refusal>(heard->body).detail;
    },
    caf::after(links_up_in) >> [] {});
  says(why, "protocol version: node-1");
  says(why, "speaks 1 to 1, node-2 (9.0.0) 7 to 9");
  BOOST_TEST(first.said("protocol version") == 1U);
}

BOOST_AUTO_TEST_CASE(files_may_change_while_the_node_runs) {
  auto options = options_for("node-1");
  linked_node first{options};
  std::ofstream{options.tls->certificate} << "rubbish";
  std::ofstream{options.tls->key} << "rubbish";
  std::ofstream{options.tls->ca} << "rubbish";
  linked_node second{options_for("node-2", {first.address()})};
  BOOST_TEST(eventually(links_up_in,
                        [&] { return first.reaches("node-2") && second.reaches("node-1"); }));
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast::test
