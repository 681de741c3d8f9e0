#include "runtime/api/dispatch.hpp"

#include "messages/assert.hpp"

namespace holdfast::api {

dispatcher::dispatcher(std::vector<route_shape> table) {
  for (const auto& shape : table) {
    const auto open = shape.path.find('{');
    const auto close = shape.path.find('}');
    HF_ASSERT((open == std::string_view::npos) == (close == std::string_view::npos));
    pattern entry{.shape = shape, .before = shape.path, .after = {}};
    if (open != std::string_view::npos) {
      entry.before = shape.path.substr(0, open);
      entry.after = shape.path.substr(close + 1);
      entry.has_placeholder = true;
    }
    patterns_.push_back(entry);
  }
}

dispatched dispatcher::find(std::string_view method, std::string_view path) const {
  dispatched result;
  for (std::size_t row = 0; row < patterns_.size(); ++row) {
    const auto& candidate = patterns_[row];
    if (!candidate.fits(path))
      continue;
    result.route = candidate.shape.path;
    if (candidate.shape.method == method) {
      result.row = row;
      const auto fixed = candidate.before.size() + candidate.after.size();
      result.argument = path.substr(candidate.before.size(), path.size() - fixed);
      result.allow.clear();
      return result;
    }
    result.allow += (result.allow.empty() ? "" : ", ") + std::string{candidate.shape.method};
  }
  return result;
}

bool dispatcher::pattern::fits(std::string_view path) const noexcept {
  if (!has_placeholder)
    return path == before;
  if (path.size() <= before.size() + after.size() || !path.starts_with(before)
      || !path.ends_with(after))
    return false;
  const auto middle = path.substr(before.size(), path.size() - before.size() - after.size());
  return middle.find('/') == std::string_view::npos;
}

} // namespace holdfast::api
