// `holdfast ctl`: the operators' commands, as they are typed.
#include "runtime/cli/commands.hpp"
#include "runtime/cli/ctl_commands.hpp"
#include "runtime/cli/ctl_exceptions.hpp"
#include "runtime/config/values.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <memory>

namespace holdfast::cli {

namespace {

struct ctl_flags {
  std::string admin = "http://127.0.0.1:8081";
  bool as_json = false;
  // Of the commands; at most one of them is parsed.
  ctl::new_merchant merchant_wanted;
  std::string id;
  std::string merchant;
  ctl::exception_query exceptions;
  ctl::exception_order exception;
  std::string letter_status = "waiting";
  ctl::ledger_export wanted_export;
  ctl::breaker_order order;
  std::string node;
  ctl::shard_order move;
  bool live = false;
  bool settle = false;
};

using flags_ptr = std::shared_ptr<ctl_flags>;
using work = std::function<expected<void>(const ctl::context&, const ctl_flags&)>;

/// Adds commands to one parent, all of which share the flags.
class command_adder {
public:
  command_adder(CLI::App& parent, flags_ptr flags, action& chosen)
    : parent_(parent),
      flags_(std::move(flags)),
      chosen_(chosen) {}

  CLI::App* add(const char* name, const char* description, work job) const {
    auto* command = parent_.add_subcommand(name, description);
    // So that --json and --admin may stand behind the command too.
    command->fallthrough();
    command->callback([command, flags = flags_, &chosen = chosen_, job = std::move(job)] {
      // One that has sub-commands has chosen already when it was given.
      if (!command->get_subcommands().empty())
        return;
      chosen = [flags, job] {
        const ctl::context how{client::json_client{flags->admin}, flags->as_json,
                               console::terminal::of(1)};
        const auto done = job(how, *flags);
        return done ? exit_done : report(done.error());
      };
    });
    return command;
  }

  /// A command that is there for its sub-commands alone.
  [[nodiscard]] command_adder group(const char* name, const char* description) const {
    auto* command = parent_.add_subcommand(name, description);
    command->fallthrough();
    command->require_subcommand(1);
    return under(*command);
  }

  [[nodiscard]] command_adder under(CLI::App& command) const {
    return {command, flags_, chosen_};
  }

private:
  CLI::App& parent_;
  flags_ptr flags_;
  action& chosen_;
};

void add_id(CLI::App* command, const flags_ptr& flags, const char* prefix) {
  command->add_option("id", flags->id, std::string{"Its id, "} + prefix + "…")->required();
}

void add_merchant_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto merchants = ctl.group("merchants", "Who may take payments");
  merchants.add("list", "All merchants",
                [](const auto& how, const auto&) { return ctl::list_merchants(how); });
  auto* create = merchants.add("create", "A new merchant and its first API key",
                               [](const auto& how, const auto& given) {
                                 return ctl::create_merchant(how, given.merchant_wanted);
                               });
  create->add_option("--name", flags->merchant_wanted.name, "What to call it")->required();
  create->add_option("--currency", flags->merchant_wanted.currency, "Of its totals (ISO 4217)")
    ->capture_default_str();
  create
    ->add_option("--stripes", flags->merchant_wanted.stripes,
                 "Shards that it is spread over; fixed for ever")
    ->capture_default_str();

  const auto keys = ctl.group("keys", "API keys");
  auto* list = keys.add(
    "list", "All keys; never their text",
    [](const auto& how, const auto& given) { return ctl::list_keys(how, given.merchant); });
  list->add_option("--merchant", flags->merchant, "Only this merchant's");
  auto* make = keys.add("create", "A further key", [](const auto& how, const auto& given) {
    return ctl::create_key(how, given.merchant, given.live);
  });
  make->add_option("--merchant", flags->merchant, "Whose key (mer_…)")->required();
  make->add_flag("--live", flags->live, "hf_live_… rather than hf_test_…");
  add_id(
    keys.add("revoke", "Refuse a key from now on",
             [](const auto& how, const auto& given) { return ctl::revoke_key(how, given.id); }),
    flags, "key_");
}

void add_payment_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto payments = ctl.group("payments", "Single payments");
  add_id(payments.add(
           "show", "A payment as it stands",
           [](const auto& how, const auto& given) { return ctl::show_payment(how, given.id); }),
         flags, "pay_");
  add_id(payments.add("timeline", "Request, events, attempts, ledger, settlement: all of it",
                      [](const auto& how, const auto& given) {
                        return ctl::show_timeline(how, given.id);
                      }),
         flags, "pay_");
}

void add_settlement_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto batches = ctl.group("batches", "Settlement batches");
  auto* list = batches.add(
    "list", "Batches, newest first",
    [](const auto& how, const auto& given) { return ctl::list_batches(how, given.merchant); });
  list->add_option("--merchant", flags->merchant, "Only this merchant's");
  add_id(batches.add(
           "show", "A batch and its items",
           [](const auto& how, const auto& given) { return ctl::show_batch(how, given.id); }),
         flags, "bat_");

  auto* resubmit = batches.add("resubmit", "Put the batches of a refused file into a new one",
                               [](const auto& how, const auto& given) {
                                 return ctl::resubmit_batch(how, given.exception);
                               });
  resubmit->add_option("id", flags->exception.id, "One of its batches, bat_…")->required();
  resubmit->add_option("--note", flags->exception.note, "What has changed; kept for good");

  auto* cutoff =
    ctl.add("cutoff", "Close the open batches now", [](const auto& how, const auto& given) {
      return ctl::cut_off(how, given.merchant, given.settle);
    });
  cutoff->add_option("--merchant", flags->merchant, "Only this merchant's");
  cutoff->add_flag("--settle", flags->settle,
                   "Wait until the acquirers' reports are reconciled");
}

void add_exception_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto exceptions = ctl.group("exceptions", "What reconciliation could not match");
  auto& query = flags->exceptions;
  auto* list =
    exceptions.add("list", "Exceptions, newest first", [](const auto& how, const auto& given) {
      return ctl::list_exceptions(how, given.exceptions);
    });
  list->add_option("--class", query.kind, "Only this class (docs/reconciliation.md)");
  list->add_option("--status", query.status, "open, resolved or all")
    ->check(CLI::IsMember({"open", "resolved", "all"}))
    ->capture_default_str();
  list->add_option("--merchant", query.merchant, "Only this merchant's");
  add_id(exceptions.add("show", "One of them, and how it may be resolved",
                        [](const auto& how, const auto& given) {
                          return ctl::show_exception(how, given.id);
                        }),
         flags, "exc_");

  auto& order = flags->exception;
  auto* assign =
    exceptions.add("assign", "Say who looks after it", [](const auto& how, const auto& given) {
      return ctl::assign_exception(how, given.exception);
    });
  assign->add_option("id", order.id, "Its id, exc_…")->required();
  assign->add_option("--owner", order.owner, "A person or a team")->required();
  assign->add_option("--note", order.note, "In place of the note before");

  auto* resolve = exceptions.add("resolve", "End it, with what that posts",
                                 [](const auto& how, const auto& given) {
                                   return ctl::resolve_exception(how, given.exception);
                                 });
  resolve->add_option("id", order.id, "Its id, exc_…")->required();
  resolve
    ->add_option("--as", order.resolution, "retry, adjust, write_off, mark_known or reverse")
    ->check(CLI::IsMember({"retry", "adjust", "write_off", "mark_known", "reverse"}))
    ->required();
  resolve->add_option("--note", order.note, "Why; kept for good")->required();
  resolve->add_option(
    "--amount", order.amount,
    "Minor units that the acquirer has paid (missing_in_report, --as adjust)");
  resolve->footer("`exceptions show` tells which of them its class allows.");

  const auto letters = ctl.group("dead-letters", "What could not be processed at all");
  auto* listed =
    letters.add("list", "Dead letters, newest first", [](const auto& how, const auto& given) {
      return ctl::list_dead_letters(how, given.letter_status);
    });
  listed->add_option("--status", flags->letter_status, "waiting, replayed or all")
    ->check(CLI::IsMember({"waiting", "replayed", "all"}))
    ->capture_default_str();
  add_id(letters.add("replay", "Take it up again, once its cause is gone",
                     [](const auto& how, const auto& given) {
                       return ctl::replay_dead_letter(how, given.id);
                     }),
         flags, "dlt_");
}

/// A trip or a reset; returns it for further options.
CLI::App* add_breaker_order(const command_adder& gateways, const flags_ptr& flags,
                            const char* name, const char* description,
                            expected<void> (*give)(const ctl::context&,
                                                   const ctl::breaker_order&)) {
  auto* command = gateways.add(name, description, [give](const auto& how, const auto& given) {
    return give(how, given.order);
  });
  command->add_option("name", flags->order.gateway, "The gateway")->required();
  command->add_option("--note", flags->order.note, "Why; shown by `gateways list`");
  return command;
}

void add_gateway_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto gateways = ctl.group("gateways", "Payment gateways");
  gateways.add("list", "Gateways, their breakers and queues",
               [](const auto& how, const auto&) { return ctl::list_gateways(how); });
  auto* trip = add_breaker_order(gateways, flags, "trip",
                                 "Send it no new charges until it is reset", ctl::trip_gateway);
  trip
    ->add_option("--for", flags->order.duration,
                 "Only for so long, then probe it (90s, 10m, 2h)")
    ->type_name("DURATION");
  trip->footer(
    "Payments fall back to the next gateway of their route. What is owed to this one\n"
    "(inquiries, reversals, captures that are repeated) still trickles through.");
  add_breaker_order(gateways, flags, "reset", "Close its breaker, whatever had opened it",
                    ctl::reset_gateway);

  const auto routes = ctl.group("routes", "Which payments go to which gateways");
  routes.add("list", "The table in force",
             [](const auto& how, const auto&) { return ctl::list_routes(how); });
  routes
    .add("reload", "Read routes and breakers anew from the node's configuration",
         [](const auto& how, const auto&) { return ctl::reload_routes(how); })
    ->footer("The same as SIGHUP to the node. A file with a mistake changes nothing.");
}

void add_cluster_commands(const command_adder& ctl, const flags_ptr& flags) {
  ctl
    .add("nodes", "The cluster's nodes, and the links to them",
         [](const auto& how, const auto&) { return ctl::list_nodes(how); })
    ->footer("LINK is that of the node which is asked; the others have their own.");
  auto* shards = ctl.add(
    "shards", "Who owns which shard, and what it does",
    [](const auto& how, const auto& given) { return ctl::list_shards(how, given.node); });
  shards->add_option("--node", flags->node, "Only this node's")->type_name("ID");
  shards->footer(
    "IN FLIGHT, LIVE PAYMENTS and LAG are asked of each owner; \"-\" where it doesn't answer.");
  auto* move = ctl.under(*shards).add(
    "move", "Pin shards to a node",
    [](const auto& how, const auto& given) { return ctl::move_shards(how, given.move); });
  move->add_option("range", flags->move.range, "A shard or several, such as 3 or 0-7")
    ->check(CLI::Validator{[](std::string& text) {
                             return config::parse_shard_range(text)
                                      ? std::string{}
                                      : "expected a shard or a range such as 0-7, got " + text;
                           },
                           "RANGE"})
    ->required();
  move->add_option("--to", flags->move.to, "The node's id, or `anywhere` to undo it")
    ->type_name("NODE")
    ->required();
  move->footer(
    "They move once their owner has finished what it writes, within seconds. A pin holds until\n"
    "it is undone; while its node is not alive the shards are where they would be without it.\n\n"
    "Examples:\n"
    "  holdfast ctl shards move 0-7 --to node-2\n"
    "  holdfast ctl shards move 0-7 --to anywhere");
}

void add_ledger_commands(const command_adder& ctl, const flags_ptr& flags) {
  const auto ledger = ctl.group("ledger", "The double-entry ledger");
  ledger.add("verify", "Prove that it balances and that nothing was altered",
             [](const auto& how, const auto&) { return ctl::verify_ledger(how); });
  ledger.add("balances", "Every account's balance",
             [](const auto& how, const auto&) { return ctl::list_balances(how); });
  auto* dump = ledger.add("export", "Every entry, shard by shard as it was written",
                          [](const auto& how, const auto& given) {
                            return ctl::export_ledger(how, given.wanted_export);
                          });
  auto& wanted = flags->wanted_export;
  dump->add_option("--merchant", wanted.merchant, "Only the accounts of this merchant");
  dump
    ->add_option("--format", wanted.format,
                 "ndjson (a JSON object a line, as with --json) or csv")
    ->check(CLI::IsMember({"ndjson", "csv"}))
    ->capture_default_str();
  dump->add_option("--output", wanted.file, "Write to this file instead of stdout")
    ->type_name("FILE");
}

} // namespace

void add_ctl(CLI::App& app, action& chosen) {
  auto* command = app.add_subcommand("ctl", "Look into a running node, and operate it");
  auto flags = std::make_shared<ctl_flags>();
  command->add_option("--admin", flags->admin, "The node's admin port")
    ->type_name("URL")
    ->envname("HOLDFAST_ADMIN")
    ->capture_default_str();
  command->add_flag("--json", flags->as_json, "The answer as JSON, for scripts");
  command->require_subcommand(1);
  command->footer(
    "Examples:\n"
    "  holdfast ctl merchants create --name \"Corner Shop\" --currency EUR\n"
    "  holdfast ctl payments timeline pay_018f…\n"
    "  holdfast ctl cutoff --settle\n"
    "  holdfast ctl gateways trip alder --for 30m --note \"their maintenance\"\n"
    "  holdfast ctl shards move 0-7 --to node-2\n"
    "  holdfast ctl exceptions list --json | jq '.data[].kind'\n"
    "  holdfast ctl exceptions resolve exc_018f… --as adjust --note \"agreed by mail\"\n"
    "  holdfast ctl ledger verify        exits 1 unless the ledger holds");
  const command_adder ctl{*command, flags, chosen};
  add_merchant_commands(ctl, flags);
  add_payment_commands(ctl, flags);
  add_settlement_commands(ctl, flags);
  add_exception_commands(ctl, flags);
  add_gateway_commands(ctl, flags);
  add_cluster_commands(ctl, flags);
  add_ledger_commands(ctl, flags);
}

} // namespace holdfast::cli
