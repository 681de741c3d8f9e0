// `holdfast certs` as its users meet it: what it writes, what it spares, what it says.
#include "runtime/embedded/certificate_files.hpp"
#include "runtime/embedded/folder.hpp"
#include "tests/support/process.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

namespace embedded = holdfast::embedded;
namespace fs = std::filesystem;
namespace test = holdfast::test;
using holdfast::milliseconds;

namespace {

constexpr milliseconds patience{60'000};

struct certs_folder {
  test::temp_folder folder;
  fs::path out = folder.path() / "certs";

  test::finished certs(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "certs");
    fs::remove(folder.path() / "output");
    return test::run({test::from_environment("HOLDFAST_BINARY"),
                      std::move(arguments),
                      {},
                      folder.path() / "output"},
                     patience);
  }
  test::finished node_of(const std::string& id, std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"node",   "--authority", out,     "--id", id,
                                       "--host", "127.0.0.1",   "--out", out};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return certs(std::move(arguments));
  }
  std::string content(const char* name) const {
    return embedded::read_file(out / name).value();
  }
};

unsigned mode_of(const fs::path& path) {
  struct stat status {};
  BOOST_REQUIRE_MESSAGE(::stat(path.c_str(), &status) == 0, path);
  return status.st_mode & 0777U;
}

bool mentions(const test::finished& done, const std::string& text) {
  return done.output.find(text) != std::string::npos;
}

} // namespace

BOOST_FIXTURE_TEST_SUITE(certs_command, certs_folder)

BOOST_AUTO_TEST_CASE(an_authority_vouches_for_the_nodes_that_it_is_asked_to) {
  const auto made = certs({"authority", "--out", out});
  BOOST_TEST(made.succeeded, made.output);
  const auto node = node_of("node-1");
  BOOST_TEST(node.succeeded, node.output);
  BOOST_TEST(mentions(node, "certificate = \"" + (out / "node-1.pem").string() + '"'),
             node.output);
  const auto by = embedded::load_authority(out).value();
  BOOST_TEST(embedded::has_issued(by, content("node-1.pem")));
  for (const auto* name : {"ca.key", "node-1.key"})
    BOOST_TEST(mode_of(out / name) == 0600U, name);
}

BOOST_AUTO_TEST_CASE(nothing_is_replaced_without_force) {
  BOOST_TEST(certs({"authority", "--out", out}).succeeded);
  BOOST_TEST(node_of("node-1").succeeded);
  const auto authority = content("ca.pem");
  const auto certificate = content("node-1.pem");
  const auto key = content("node-1.key");

  const auto again = certs({"authority", "--out", out});
  BOOST_TEST(again.ending == "exit code 1");
  BOOST_TEST(mentions(again, "ca.key is there already; --force replaces it"), again.output);
  const auto renewed = node_of("node-1");
  BOOST_TEST(renewed.ending == "exit code 1");
  BOOST_TEST(mentions(renewed, "node-1.key is there already; --force replaces it"),
             renewed.output);
  BOOST_TEST(content("ca.pem") == authority);
  BOOST_TEST(content("node-1.pem") == certificate);
  BOOST_TEST(content("node-1.key") == key);

  BOOST_TEST(node_of("node-1", {"--force"}).succeeded);
  BOOST_TEST(content("node-1.pem") != certificate);
  BOOST_TEST(content("ca.pem") == authority);
}

BOOST_AUTO_TEST_CASE(the_authority_of_other_nodes_is_not_replaced_in_passing) {
  BOOST_TEST(certs({"authority", "--out", out}).succeeded);
  const auto other = folder.path() / "other";
  BOOST_TEST(certs({"authority", "--out", other}).succeeded);
  const auto refused = certs({"node", "--authority", other, "--id", "node-2", "--out", out});
  BOOST_TEST(refused.ending == "exit code 1");
  BOOST_TEST(mentions(refused, "ca.pem is another authority's"), refused.output);
  BOOST_TEST(!fs::exists(out / "node-2.key"));
}

BOOST_AUTO_TEST_CASE(a_bundle_that_has_the_authority_is_left_alone) {
  BOOST_TEST(certs({"authority", "--out", out}).succeeded);
  const auto next = folder.path() / "next";
  BOOST_TEST(certs({"authority", "--out", next}).succeeded);
  const auto bundle = content("ca.pem") + embedded::read_file(next / "ca.pem").value();
  BOOST_REQUIRE(embedded::write_private_file(out / "ca.pem", bundle));
  const auto renewed =
    certs({"node", "--authority", next, "--id", "node-1", "--out", out, "--force"});
  BOOST_TEST(renewed.succeeded, renewed.output);
  BOOST_TEST(content("ca.pem") == bundle);
}

BOOST_AUTO_TEST_CASE(a_key_without_its_certificate_is_issued_anew) {
  const auto keep = [&] { return embedded::keep_issued(out, "node-1", {}, 1); };
  BOOST_REQUIRE(keep());
  const auto certificate = content("node-1.pem");
  BOOST_REQUIRE(keep());
  BOOST_TEST(content("node-1.pem") == certificate);
  // As a crash between the two files leaves them.
  const auto by = embedded::load_authority(out).value();
  const auto newer = embedded::issue(by, "node-1", {}, 10).value();
  BOOST_REQUIRE(embedded::write_private_file(out / "node-1.key", newer.key_pem));
  BOOST_REQUIRE(keep());
  BOOST_TEST(content("node-1.pem") != certificate);
  BOOST_TEST(embedded::belong_together({content("node-1.pem"), content("node-1.key")}));
}

BOOST_AUTO_TEST_CASE(mistakes_are_told) {
  const auto none = node_of("node-1");
  BOOST_TEST(none.ending == "exit code 1");
  BOOST_TEST(mentions(none, "holdfast certs authority --out"), none.output);
  BOOST_TEST(certs({"authority", "--out", out}).succeeded);
  BOOST_TEST(node_of("Node 1").ending == "exit code 2");
  BOOST_TEST(node_of("ca").ending == "exit code 2");
  BOOST_TEST(node_of("node-1", {"--host", "http://node-1"}).ending == "exit code 2");
  BOOST_TEST(node_of("node-1", {"--days", "0"}).ending == "exit code 2");
  BOOST_TEST(certs({}).ending == "exit code 2");
  BOOST_TEST(certs({"node", "--help"}).succeeded);
}

BOOST_AUTO_TEST_SUITE_END()
