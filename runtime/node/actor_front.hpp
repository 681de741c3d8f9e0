// The front (runtime/front.hpp) on top of the node's actors.
#pragma once

#include "actors/environment.hpp"
#include "runtime/front.hpp"
#include "runtime/node/gateway_metrics.hpp"
#include "storage/leases.hpp"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

class actor_front final : public front {
public:
  /// `leases` must outlive the front.
  actor_front(actors::environment_ptr env, std::vector<named_board> gateways);

  /// The keeper comes after the front in the order of starting; until then no lease is shown.
  void show_leases(const storage::lease_keeper* leases) noexcept { leases_ = leases; }

  void submit(merchant_command command, std::function<void(api_reply)> done) override;
  void order(desk_order what, desk_callback done) override;
  void notify(webhook_notice notice, std::string request_id,
              std::function<void(api_reply)> done) override;
  void cutoff(cutoff_request request, milliseconds timeout,
              std::function<void(cutoff_result)> done) override;
  [[nodiscard]] bool ready() const override;
  [[nodiscard]] std::vector<gateway_status> gateways() const override;
  [[nodiscard]] bool trip_gateway(const std::string& name, std::optional<milliseconds> duration,
                                  gateways::operator_order order) override;
  [[nodiscard]] bool reset_gateway(const std::string& name,
                                   gateways::operator_order order) override;
  [[nodiscard]] std::vector<shard_status> shards() const override;
  [[nodiscard]] std::string metrics_text() const override;

private:
  /// Null: there is no such gateway.
  [[nodiscard]] actors::gateway_board* board_of(const std::string& name) const;
  [[nodiscard]] shard_number shard_for(const merchant_command& command) const;

  actors::environment_ptr env_;
  std::vector<named_board> gateways_;
  const storage::lease_keeper* leases_ = nullptr;
};

} // namespace holdfast::runtime
