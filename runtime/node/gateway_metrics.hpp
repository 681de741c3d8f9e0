// What gateways say of themselves, as Prometheus text.
#pragma once

#include "actors/gateway/actor.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

using named_board = std::pair<std::string, std::shared_ptr<actors::gateway_board>>;

void append_gateway_metrics(std::string& out, const std::vector<named_board>& gateways);

} // namespace holdfast::runtime
