#include "actors/system_settings.hpp"

#include "actors/protocol.hpp"
#include "messages/limits.hpp"

#include <caf/init_global_meta_objects.hpp>

#include <mutex>

namespace holdfast::actors {

namespace {

void make_types_known() {
  static std::once_flag once;
  std::call_once(once, [] {
    caf::init_global_meta_objects<caf::id_block::holdfast>();
    caf::core::init_global_meta_objects();
  });
}

} // namespace

system_settings::system_settings() {
  make_types_known();
  set("caf.scheduler.policy", "sharing");
  set("caf.scheduler.max-threads", limits::actor_threads);
  set("caf.scheduler.max-throughput", limits::actor_throughput);
}

} // namespace holdfast::actors
