// What a node tells Prometheus of the cluster.
#pragma once

#include "actors/link/port.hpp"
#include "runtime/cluster/ownership.hpp"
#include "runtime/cluster/router.hpp"

#include <string>
#include <vector>

namespace holdfast::cluster {

void append_cluster_metrics(std::string& out, const router_figures& routed,
                            const ownership_figures& owned,
                            const std::vector<links::link_status>& links);

} // namespace holdfast::cluster
