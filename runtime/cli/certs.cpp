// `holdfast certs`: an authority of one's own, and a certificate for each node of a cluster.
#include "runtime/cli/commands.hpp"
#include "runtime/config/values.hpp"
#include "runtime/console/terminal.hpp"
#include "runtime/embedded/certificate_files.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>

namespace holdfast::cli {

namespace {

constexpr int days_max = 36'500;

struct authority_flags {
  std::string out;
  std::string name = "holdfast";
  int days = embedded::authority_days;
  bool force = false;
};

struct certificate_flags {
  std::string authority;
  std::string id;
  std::vector<std::string> hosts;
  std::string out;
  int days = embedded::node_days;
  bool force = false;
};

embedded::existing what_exists(bool force) {
  return force ? embedded::existing::replaced : embedded::existing::kept;
}

/// "2027-12-25"
std::string last_day(const std::string& certificate) {
  const auto until = embedded::valid_until(certificate);
  return until ? to_rfc3339(*until).substr(0, 10) : "?";
}

int run_authority(const authority_flags& flags) {
  const auto made = embedded::make_authority(flags.name, flags.days);
  if (!made)
    return report(made.error());
  if (auto saved = embedded::save(flags.out, *made, what_exists(flags.force)); !saved)
    return report(saved.error());
  std::printf(
    "authority \"%s\", until %s\n"
    "  %s/ca.pem  its certificate, which every node needs\n"
    "  %s/ca.key  its key: whoever has it can make a node; keep it off the nodes\n",
    flags.name.c_str(), last_day(made->certificate_pem).c_str(), flags.out.c_str(),
    flags.out.c_str());
  return exit_done;
}

int run_certificate(const certificate_flags& flags) {
  const auto by = embedded::load_authority(flags.authority);
  if (!by)
    return report(make_error(by.error().code, by.error().detail
                                                + " (`holdfast certs authority --out "
                                                + flags.authority + "` makes one)"));
  const auto made = embedded::issue(*by, flags.id, flags.hosts, flags.days);
  if (!made)
    return report(made.error());
  const auto paths = embedded::save(flags.out, flags.id, *made, *by, what_exists(flags.force));
  if (!paths)
    return report(paths.error());
  std::printf(
    "%s, until %s. In its configuration:\n\n"
    "[cluster]\n"
    "tls = { certificate = \"%s\", key = \"%s\", ca = \"%s\" }\n",
    flags.id.c_str(), last_day(made->certificate_pem).c_str(), paths->certificate.c_str(),
    paths->key.c_str(), paths->ca.c_str());
  return exit_done;
}

void add_authority(CLI::App& certs, action& chosen) {
  auto* command =
    certs.add_subcommand("authority", "A new authority: DIR/ca.pem and DIR/ca.key");
  auto flags = std::make_shared<authority_flags>();
  command->add_option("--out", flags->out, "Where to put it")->type_name("DIR")->required();
  command->add_option("--name", flags->name, "What to call it")->capture_default_str();
  command->add_option("--days", flags->days, "How long it holds")
    ->check(CLI::Range(1, days_max))
    ->capture_default_str();
  command->add_flag("--force", flags->force,
                    "Replace one that is there: its nodes' certificates are worthless then");
  command->callback([flags, &chosen] { chosen = [flags] { return run_authority(*flags); }; });
}

void add_certificate(CLI::App& certs, action& chosen) {
  auto* command =
    certs.add_subcommand("node", "A node's certificate: DIR/ID.pem, DIR/ID.key and DIR/ca.pem");
  auto flags = std::make_shared<certificate_flags>();
  command->add_option("--authority", flags->authority, "Where the authority is")
    ->type_name("DIR")
    ->required();
  command->add_option("--id", flags->id, "[node] id, which its certificate proves")
    ->check(CLI::Validator{[](std::string& text) { return config::check_name(text); }, "ID"})
    ->required();
  command->add_option("--host", flags->hosts, "A name or address of its machine; repeatable")
    ->type_name("HOST");
  command->add_option("--out", flags->out, "Where to put it")->type_name("DIR")->required();
  command
    ->add_option("--days", flags->days, "How long it holds; never longer than its authority")
    ->check(CLI::Range(1, days_max))
    ->capture_default_str();
  command->add_flag("--force", flags->force, "Replace one that is there, to renew it");
  command->callback([flags, &chosen] { chosen = [flags] { return run_certificate(*flags); }; });
}

} // namespace

void add_certs(CLI::App& app, action& chosen) {
  auto* command =
    app.add_subcommand("certs", "Certificates by which a cluster's nodes know each other");
  command->require_subcommand(1);
  command->footer(
    "Files are readable by their owner alone, and never replaced without --force. A node takes\n"
    "a new certificate when it starts.\n\n"
    "Examples:\n"
    "  holdfast certs authority --out certs\n"
    "  holdfast certs node --authority certs --id node-1 --host 10.0.0.1 --out certs\n"
    "  holdfast certs node --authority certs --id node-1 --host 10.0.0.1 --out certs --force");
  add_authority(*command, chosen);
  add_certificate(*command, chosen);
}

} // namespace holdfast::cli
