// A database, a sandbox and a node in this process, wired as `holdfast dev` wires them, but
// with whatever configuration a test needs.
#pragma once

#include "runtime/config/config.hpp"
#include "runtime/node/node.hpp"
#include "runtime/sandbox/sandbox.hpp"
#include "tests/support/http_probe.hpp"
#include "tests/support/process.hpp"

#include <functional>
#include <memory>
#include <string>

namespace holdfast::test {

/// Serves when it is made; throws when it can't.
class whole_site {
public:
  explicit whole_site(const std::function<void(config::node_config&)>& adjust);
  ~whole_site();
  whole_site(const whole_site&) = delete;
  whole_site& operator=(const whole_site&) = delete;

  [[nodiscard]] std::string http() const { return node_->http_url(); }
  [[nodiscard]] std::string admin() const { return node_->admin_url(); }
  [[nodiscard]] const std::string& sandbox() const noexcept { return sandbox_url_; }
  [[nodiscard]] const std::string& database() const noexcept { return database_; }

private:
  temp_folder folder_;
  std::string database_;
  background_io sandbox_io_;
  std::unique_ptr<sandbox::sandbox_server> sandbox_;
  std::string sandbox_url_;
  std::unique_ptr<runtime::node> node_;
};

} // namespace holdfast::test
