// The front (runtime/front.hpp) on top of the node's actors.
#pragma once

#include "actors/environment.hpp"
#include "actors/gateway/actor.hpp"
#include "runtime/front.hpp"
#include "storage/leases.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

class actor_front final : public front {
public:
  using named_gauges = std::pair<std::string, std::shared_ptr<actors::gateway_gauges>>;

  /// `leases` must outlive the front.
  actor_front(actors::environment_ptr env, std::vector<named_gauges> gateways);

  /// The keeper comes after the front in the order of starting; until then no lease is shown.
  void show_leases(const storage::lease_keeper* leases) noexcept { leases_ = leases; }

  void submit(merchant_command command, std::function<void(api_reply)> done) override;
  void cutoff(cutoff_request request, milliseconds timeout,
              std::function<void(cutoff_result)> done) override;
  [[nodiscard]] bool ready() const override;
  [[nodiscard]] std::vector<gateway_status> gateways() const override;
  [[nodiscard]] std::vector<shard_status> shards() const override;
  [[nodiscard]] std::string metrics_text() const override;

private:
  [[nodiscard]] shard_number shard_for(const merchant_command& command) const;

  actors::environment_ptr env_;
  std::vector<named_gauges> gateways_;
  const storage::lease_keeper* leases_ = nullptr;
};

} // namespace holdfast::runtime
