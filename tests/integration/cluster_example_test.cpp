// config/cluster: its files are fine, and the commands of its README do what they say.
#include "runtime/client/json_client.hpp"
#include "runtime/client/json_members.hpp"
#include "runtime/embedded/folder.hpp"
#include "runtime/embedded/ports.hpp"
#include "runtime/embedded/postgres.hpp"
#include "tests/support/postgres.hpp"
#include "tests/support/process.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <csignal>
#include <fstream>
#include <sstream>

namespace client = holdfast::client;
namespace embedded = holdfast::embedded;
namespace fs = std::filesystem;
namespace test = holdfast::test;
using holdfast::milliseconds;

namespace {

constexpr milliseconds patience{60'000};
constexpr const char* pepper = "a pepper of thirty-two bytes, at least";

std::string text_of(const fs::path& file) {
  return embedded::read_file(file).value();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

/// A copy of the example, with ports that are free.
struct example {
  example() {
    const fs::path source =
      fs::path{test::from_environment("HOLDFAST_SOURCE_DIR")} / "config/cluster";
    embedded::port_finder finder;
    for (const char* port :
         {"8080", "8081", "8082", "8090", "8180", "8181", "8190", "8280", "8281", "8290"})
      ports_.emplace_back(std::string{"127.0.0.1:"} + port, finder.find("127.0.0.1:0").value());
    for (const char* name : {"node-1.toml", "node-2.toml", "node-3.toml", "README.md"}) {
      auto text = text_of(source / name);
      for (const auto& [from, to] : ports_)
        replace_all(text, from, to);
      std::ofstream{folder.path() / name} << text;
    }
  }

  /// Where the example's address is now.
  [[nodiscard]] std::string now(const std::string& address) const {
    for (const auto& [from, to] : ports_)
      if (from == address)
        return to;
    throw std::logic_error{address};
  }

  /// The blocks of commands of the README, one after the other.
  [[nodiscard]] std::vector<std::string> commands() const {
    std::vector<std::string> blocks;
    std::istringstream lines{text_of(folder.path() / "README.md")};
    bool inside = false;
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with("```")) {
        inside = line == "```sh";
        if (inside)
          blocks.emplace_back();
      } else if (inside) {
        blocks.back() += line + '\n';
      }
    }
    return blocks;
  }

  test::temp_folder folder;

private:
  std::vector<std::pair<std::string, std::string>> ports_;
};

/// A shell in the example's folder that finds `holdfast`, and PostgreSQL's programs and server.
std::string prelude(const fs::path& folder, const test::postgres_server& server) {
  const auto programs = embedded::find_postgres().value().folder;
  const auto url = server.url();
  // postgresql://USER@/postgres?host=FOLDER
  const auto between = [&](const std::string& from, const std::string& to) {
    const auto begin = url.find(from) + from.size();
    return url.substr(begin, url.find(to, begin) - begin);
  };
  return "set -e\ncd " + folder.string() + "\nPATH=" + folder.string()
         + "/bin:" + programs.string() + ":$PATH\nexport PGHOST=" + between("host=", "&")
         + " PGUSER=" + between("://", "@") + '\n';
}

} // namespace

BOOST_AUTO_TEST_SUITE(cluster_example)

BOOST_AUTO_TEST_CASE(every_file_passes_the_check) {
  const example copy;
  for (const char* name : {"node-1.toml", "node-2.toml", "node-3.toml"}) {
    fs::remove(copy.folder.path() / "output");
    const auto checked = test::run({test::from_environment("HOLDFAST_BINARY"),
                                    {"node", "--config", copy.folder.path() / name, "--check"},
                                    {{"HOLDFAST_KEY_PEPPER", pepper},
                                     {"HOLDFAST_DATABASE_A", "postgresql:///a"},
                                     {"HOLDFAST_DATABASE_B", "postgresql:///b"}},
                                    copy.folder.path() / "output"},
                                   patience);
    BOOST_TEST(checked.succeeded, checked.output);
    // There are no certificates yet, and that is all there is to be said.
    BOOST_TEST(checked.output.find("warning: [cluster] tls certificate certs/node-")
                 != std::string::npos,
               checked.output);
    BOOST_TEST(checked.output.find("is fine: 2 gateways") != std::string::npos, checked.output);
  }
}

BOOST_AUTO_TEST_CASE(the_commands_of_its_readme_start_a_cluster) {
  const example copy;
  const auto& folder = copy.folder.path();
  const test::postgres_server server{{.fsync = false}};
  fs::create_directory(folder / "bin");
  // So that what the shell has started dies with it, whatever happens.
  std::ofstream{folder / "bin/holdfast"} << "#!/bin/sh\nexec setpriv --pdeathsig KILL '"
                                         << test::from_environment("HOLDFAST_BINARY")
                                         << "' \"$@\"\n";
  fs::permissions(folder / "bin/holdfast", fs::perms::owner_all);
  const auto blocks = copy.commands();
  BOOST_REQUIRE(blocks.size() == 4U);
  // The nodes end with the shell, which ends when it is told to.
  std::ofstream{folder / "start.sh"}
    << prelude(folder, server) << "trap 'kill $(jobs -p); wait' EXIT\ntrap 'exit 0' TERM\n"
    << blocks[0] << blocks[1] << "holdfast node --config node-1.toml --check\n"
    << blocks[2] << "wait\n";
  auto shell = test::start({"/bin/bash", {folder / "start.sh"}, {}, folder / "start.log"});
  const client::json_client admin{"http://" + copy.now("127.0.0.1:8081")};
  const bool ready = test::eventually(patience, [&] {
    return !shell.running() || admin.text("/readyz", milliseconds{1'000}).has_value();
  });
  BOOST_TEST(ready);
  BOOST_TEST(text_of(folder / "start.log").find("warning") == std::string::npos,
             text_of(folder / "start.log"));
  BOOST_REQUIRE_MESSAGE(shell.running(), text_of(folder / "start.log"));
  BOOST_TEST(test::eventually(patience, [&] {
    const auto nodes = admin.rows("/admin/v1/nodes");
    return nodes && nodes->size() == 3U;
  }));

  auto looks = blocks[3];
  replace_all(looks, "holdfast ctl", "holdfast ctl --admin " + admin.url());
  std::ofstream{folder / "look.sh"} << prelude(folder, server) << looks;
  const auto looked =
    test::run({"/bin/bash", {folder / "look.sh"}, {}, folder / "look.log"}, patience);
  BOOST_TEST(looked.succeeded, looked.output);
  for (const char* text : {"node-1", "node-2", "node-3", "hf_test_"})
    BOOST_TEST(looked.output.find(text) != std::string::npos, looked.output);
  shell.stop(SIGTERM, patience);
}

BOOST_AUTO_TEST_SUITE_END()
