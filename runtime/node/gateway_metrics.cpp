#include "runtime/node/gateway_metrics.hpp"

#include "messages/gateway_types.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <array>

namespace holdfast::runtime {

namespace {

using gateways::breaker_state;
using telemetry::append_head;
using telemetry::append_sample;

/// Reads one number of each gateway into a metric family.
template <class Read>
void append_family(std::string& out, const std::vector<named_board>& gateways,
                   std::string_view name, std::string_view help, std::string_view kind,
                   Read read) {
  append_head(out, name, help, kind);
  for (const auto& [gateway, board] : gateways)
    append_sample(out, name, {{"gateway", gateway}}, static_cast<double>(read(*board)));
}

/// Likewise, by a label whose values are those of an enum from 0 to `count`.
template <class Label, class Read>
void append_by(std::string& out, const std::vector<named_board>& gateways,
               std::string_view name, std::string_view help, std::string_view kind,
               std::string_view label, std::size_t count, Read read) {
  append_head(out, name, help, kind);
  for (const auto& [gateway, board] : gateways)
    for (std::size_t index = 0; index < count; ++index)
      append_sample(out, name,
                    {{"gateway", gateway}, {label, to_string(static_cast<Label>(index))}},
                    static_cast<double>(read(*board, index)));
}

void append_breakers(std::string& out, const std::vector<named_board>& gateways) {
  const auto now = actors::gateway_clock();
  append_by<breaker_state>(
    out, gateways, "holdfast_gateway_breaker_state", "1 for the state the breaker is in.",
    "gauge", "state", 3, [now](auto& board, std::size_t index) {
      return board.gate.state(now) == static_cast<breaker_state>(index) ? 1 : 0;
    });
  append_family(out, gateways, "holdfast_gateway_breaker_open",
                "1 while the circuit breaker holds new authorizations back.", "gauge",
                [now](auto& board) { return board.gate.state(now) == breaker_state::open; });
  append_by<gateways::trip_cause>(out, gateways, "holdfast_gateway_breaker_trips_total",
                                  "Times that the breaker opened.", "counter", "cause",
                                  gateways::trip_causes, [now](auto& board, std::size_t index) {
                                    return board.gate.view(now).breaker.trips[index];
                                  });
  append_by<gateways::refusal>(
    out, gateways, "holdfast_gateway_refused_calls_total",
    "Calls that were not sent, by reason.", "counter", "reason", gateways::refusals,
    [](auto& board, std::size_t index) { return board.refused[index].load(); });
  append_family(out, gateways, "holdfast_gateway_retry_budget",
                "Retries that may go out at this moment.", "gauge",
                [now](auto& board) { return board.gate.view(now).retries_left; });
  append_family(out, gateways, "holdfast_gateway_recovering",
                "1 while what is owed to a gateway that has come back is paced.", "gauge",
                [now](auto& board) { return board.gate.view(now).recovering; });
}

} // namespace

void append_gateway_metrics(std::string& out, const std::vector<named_board>& gateways) {
  append_by<gateway_verdict>(
    out, gateways, "holdfast_gateway_calls_total", "Gateway calls that ended, by verdict.",
    "counter", "verdict", std::tuple_size_v<decltype(actors::gateway_board::verdicts)>,
    [](auto& board, std::size_t index) { return board.verdicts[index].load(); });
  append_family(out, gateways, "holdfast_gateway_seconds_total", "Time spent in gateway calls.",
                "counter",
                [](auto& board) { return static_cast<double>(board.total_us) / 1e6; });
  append_family(out, gateways, "holdfast_gateway_in_flight", "Calls under way.", "gauge",
                [](auto& board) { return board.in_flight.load(); });
  append_family(out, gateways, "holdfast_gateway_queued", "Calls that wait to be sent.",
                "gauge", [](auto& board) { return board.queued.load(); });
  append_breakers(out, gateways);
}

} // namespace holdfast::runtime
