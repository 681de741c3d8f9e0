#include "runtime/simulation/report.hpp"

#include "messages/json_writer.hpp"

#include <algorithm>
#include <cstdio>

namespace holdfast::simulation {

namespace {

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

double per_second(std::uint64_t count, double seconds) {
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double virtual_ratio(const report& what) {
  return what.seconds > 0
           ? static_cast<double>(what.total.virtual_time.count()) / 1e6 / what.seconds
           : 0;
}

std::string rounded(double value) {
  return std::to_string(static_cast<std::uint64_t>(value + 0.5));
}

std::string replay_of(const report& what) {
  const auto seed = std::to_string(what.failed->seed);
  auto text = "holdfast sim --seeds " + seed + '-' + seed + " --payments "
              + std::to_string(what.asked.payments);
  if (what.asked.plant != plant::none)
    text += " --plant " + std::string{to_string(what.asked.plant)};
  return text;
}

std::string failure_text(const report& what) {
  const auto& failed = *what.failed;
  const auto& wrong = *failed.violated;
  std::string text = "invariant ";
  text += wrong.letter;
  text += " does not hold: " + wrong.sentence + '\n';
  text += "  seed " + std::to_string(failed.seed) + ", step " + std::to_string(wrong.step)
          + ", " + to_rfc3339(wrong.at) + '\n';
  text += "  commit " + std::string{what.build.commit} + " (holdfast "
          + std::string{what.build.version} + ")\n";
  if (!failed.violated_payment.empty())
    text += "  payment " + failed.violated_payment + '\n';
  text += "  replay: " + replay_of(what) + '\n';
  if (!failed.trace.empty())
    text += "  the last steps about it:\n";
  for (const auto& line : failed.trace)
    text += "    " + line + '\n';
  return text;
}

std::string verdict_text(const report& what) {
  const auto planted = what.asked.plant != plant::none;
  const auto name = std::string{to_string(what.asked.plant)};
  const auto seeds = std::to_string(what.total.seeds);
  if (what.failed && planted)
    return "planted " + name + ": caught after " + seeds + " seeds\n";
  if (planted)
    return "planted " + name + ": NOT caught within " + seeds + " seeds\n";
  return what.failed ? "a violation was found\n" : "all invariants hold\n";
}

void write_unknowns(json_writer& out, const resolutions& unknowns) {
  out.key("unknown_outcomes").begin_object();
  out.member("attempts", unknowns.unknown)
    .member("resolved_approved", unknowns.approved)
    .member("resolved_declined", unknowns.declined)
    .member("resolved_reversed", unknowns.reversed)
    .member("escalated", unknowns.escalated);
  out.end_object();
}

void write_failure(json_writer& out, const report& what) {
  const auto& failed = *what.failed;
  out.key("violation").begin_object();
  out.member("invariant", std::string_view{&failed.violated->letter, 1})
    .member("sentence", failed.violated->sentence)
    .member("seed", failed.seed)
    .member("step", failed.violated->step)
    .member("at", to_rfc3339(failed.violated->at))
    .member("payment", failed.violated_payment)
    .member("replay", replay_of(what));
  out.key("trace").begin_array();
  for (const auto& line : failed.trace)
    out.value(line);
  out.end_array().end_object();
}

} // namespace

std::string to_text(const report& what) {
  std::string text;
  if (what.failed)
    text += failure_text(what) + '\n';
  const auto& total = what.total;
  text += std::to_string(total.seeds) + " seeds, " + std::to_string(total.payments)
          + " payments, " + rounded(per_second(total.payments, what.seconds)) + " payments/s, "
          + "virtual time " + rounded(virtual_ratio(what)) + " times real time\n";
  const auto& unknowns = total.unknowns;
  text += "unknown outcomes: " + std::to_string(unknowns.unknown) + "; resolved approved "
          + std::to_string(unknowns.approved) + ", declined "
          + std::to_string(unknowns.declined) + ", reversed "
          + std::to_string(unknowns.reversed) + "; put before a person "
          + std::to_string(unknowns.escalated) + '\n';
  text += "faults:";
  for (std::size_t i = 0; i < fault_count; ++i)
    text += (i % 6 == 0 ? "\n  " : "  ") + std::string{to_string(static_cast<fault>(i))} + ' '
            + std::to_string(total.faults[i]);
  return text + "\n" + verdict_text(what);
}

std::string to_json(const report& what) {
  json_writer out;
  out.begin_object()
    .member("good", what.is_good())
    .member("version", what.build.version)
    .member("commit", what.build.commit)
    .member("first_seed", what.asked.first_seed)
    .member("last_seed", what.asked.last_seed)
    .member("payments_per_seed", static_cast<std::uint64_t>(what.asked.payments))
    .member("plant", to_string(what.asked.plant))
    .member("seeds", what.total.seeds)
    .member("payments", what.total.payments)
    .member("steps", what.total.steps)
    .member("hash", hex(what.total.hash))
    .member("milliseconds", static_cast<std::uint64_t>(what.seconds * 1'000))
    .member("payments_per_second",
            static_cast<std::uint64_t>(per_second(what.total.payments, what.seconds)))
    .member("virtual_to_real", static_cast<std::uint64_t>(virtual_ratio(what)));
  write_unknowns(out, what.total.unknowns);
  out.key("faults").begin_object();
  for (std::size_t i = 0; i < fault_count; ++i)
    out.member(to_string(static_cast<fault>(i)), what.total.faults[i]);
  out.end_object();
  out.key("hashes").begin_object();
  for (const auto& [seed, hash] : what.hashes)
    out.member(std::to_string(seed), hex(hash));
  out.end_object();
  if (what.failed)
    write_failure(out, what);
  out.end_object();
  return std::move(out).take();
}

} // namespace holdfast::simulation
