// The front (runtime/front.hpp) on top of the node's actors and its part in the cluster.
#pragma once

#include "actors/environment.hpp"
#include "runtime/front.hpp"
#include "runtime/node/gateway_metrics.hpp"
#include "runtime/node/node_cluster.hpp"

#include <string>
#include <utility>
#include <vector>

namespace holdfast::runtime {

class actor_front final : public front {
public:
  /// `cluster` must outlive the front.
  actor_front(actors::environment_ptr env, std::vector<named_board> gateways,
              node_cluster& cluster);

  [[nodiscard]] bool takes_another() override;
  void submit(merchant_command command, std::function<void(api_reply)> done) override;
  void order(desk_order what, desk_callback done) override;
  void notify(webhook_notice notice, std::string request_id,
              std::function<void(api_reply)> done) override;
  void cutoff(cutoff_request request, milliseconds timeout,
              std::function<void(cutoff_result)> done) override;
  [[nodiscard]] bool ready() const override;
  [[nodiscard]] std::string waiting_for() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override;
  [[nodiscard]] std::vector<gateway_status> gateways() const override;
  [[nodiscard]] bool trip_gateway(const std::string& name, std::optional<milliseconds> duration,
                                  gateways::operator_order order) override;
  [[nodiscard]] bool reset_gateway(const std::string& name,
                                   gateways::operator_order order) override;
  [[nodiscard]] std::vector<shard_status> shards() const override;
  [[nodiscard]] std::vector<node_status> nodes() const override;
  void move_shards(shard_move what, std::function<void(expected<void>)> done) override;
  [[nodiscard]] std::string metrics_text() const override;

  /// Does to a breaker of this node what was done to the one of node `from`.
  void obey(const std::string& from, const links::breaker_for_node& wish);

private:
  /// Null: there is no such gateway.
  [[nodiscard]] actors::gateway_board* board_of(const std::string& name) const;
  [[nodiscard]] bool trip_here(const std::string& name, std::optional<milliseconds> duration,
                               gateways::operator_order order);
  [[nodiscard]] bool reset_here(const std::string& name, gateways::operator_order order);

  actors::environment_ptr env_;
  std::vector<named_board> gateways_;
  node_cluster& cluster_;
};

} // namespace holdfast::runtime
