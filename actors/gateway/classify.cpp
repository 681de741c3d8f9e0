#include "actors/gateway/classify.hpp"

namespace holdfast::gateways {

call_kind kind_of(const payments::call_target& target, bool is_repeat) noexcept {
  const bool is_question = target.verb == gateway_verb::inquire
                           || (target.verb == gateway_verb::reverse && !target.operation);
  if (is_question || is_repeat)
    return call_kind::owed;
  return target.operation ? call_kind::operation : call_kind::charge;
}

call_result result_of(gateway_verdict verdict) noexcept {
  const bool failed =
    verdict == gateway_verdict::unknown || verdict == gateway_verdict::not_sent;
  return failed ? call_result::failed : call_result::succeeded;
}

} // namespace holdfast::gateways
