#include "runtime/sandbox/state.hpp"

#include "messages/limits.hpp"

namespace holdfast::sandbox {

namespace {

std::string file_key(std::string_view acquirer, std::string_view id) {
  return std::string{acquirer}.append("/").append(id);
}

error contradiction(std::string_view what) {
  return make_error(errc::corrupt, "a fact contradicts those before it: " + std::string{what});
}

} // namespace

gateway_book* sandbox_state::find_gateway(std::string_view name) {
  const auto found = gateways_.find(name);
  return found == gateways_.end() ? nullptr : found->second.get();
}

expected<gateway_book*> sandbox_state::open_gateway(std::string_view name) {
  if (auto* known = find_gateway(name))
    return known;
  if (gateways_.size() >= limits::sandbox_gateways_max)
    return make_error(errc::overloaded, "the sandbox has no room for another gateway");
  auto made = std::make_unique<gateway_book>(std::string{name});
  return gateways_.emplace(std::string{name}, std::move(made)).first->second.get();
}

std::optional<reason> sandbox_state::find_token(std::string_view token) const {
  if (const auto fixed = judge_fixed_token(token))
    return fixed;
  const auto* known = tokens_.find(token);
  return known ? std::optional{*known} : std::nullopt;
}

settlement_file* sandbox_state::find_file(std::string_view acquirer, std::string_view id) {
  const auto found = files_by_name_.find(file_key(acquirer, id));
  return found == files_by_name_.end() ? nullptr : found->second;
}

expected<void> sandbox_state::apply(const fact& entry) {
  switch (entry.kind) {
    case fact_kind::token: {
      const auto verdict = parse_reason(entry.code);
      if (!verdict || entry.token.empty() || tokens_.find(entry.token))
        return contradiction("a token");
      tokens_.insert(entry.token, *verdict);
      return {};
    }
    case fact_kind::file: return apply_file(entry);
    case fact_kind::settle: return apply_settle(entry);
    case fact_kind::report: {
      auto* file = find_file(entry.acquirer, entry.file);
      if (!file)
        return contradiction("a report without its file");
      file->is_done = true;
      return {};
    }
    default: {
      const auto gateway = open_gateway(entry.gateway);
      return gateway ? (*gateway)->apply(entry) : expected<void>{gateway.error()};
    }
  }
}

expected<void> sandbox_state::apply_file(const fact& entry) {
  if (find_file(entry.acquirer, entry.file))
    return contradiction("a file was accepted twice");
  auto file = std::make_unique<settlement_file>();
  file->acquirer = entry.acquirer;
  file->id = entry.file;
  file->sha256 = entry.sha256;
  file->number = static_cast<std::uint32_t>(files_.size() + 1);
  files_by_name_.emplace(file_key(entry.acquirer, entry.file), file.get());
  files_.push_back(std::move(file));
  return {};
}

expected<void> sandbox_state::apply_settle(const fact& entry) {
  auto* file = find_file(entry.acquirer, entry.file);
  if (!file)
    return contradiction("a settlement without its file");
  file->lines_recorded = entry.line;
  auto* gateway = find_gateway(entry.gateway);
  if (!gateway)
    return entry.status == fact_status::rejected
             ? expected<void>{}
             : contradiction("a settlement without its gateway");
  return gateway->apply_settlement(entry, file->number);
}

} // namespace holdfast::sandbox
