// One [[routes]] of a configuration file. Included by config.cpp alone.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/config/reader.hpp"

namespace holdfast::config {

/// After the gateways and acquirers, which a route names.
void read_route(table_reader& in, node_config& out);

} // namespace holdfast::config
