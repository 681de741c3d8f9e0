// The journal's events as readable JSON: in the merchant's feed and in the timeline. Pure.
#pragma once

#include "storage/store.hpp"

#include <string>

namespace holdfast::api {

/// `{"id":"evt_…","object":"event","type":…,"shard":…,"seq":…,"subject":…,"at":…,"data":{…}}`.
/// Operations are named by their kind ("capture.succeeded"). A payload that can't be decoded
/// shows as `"data":null,"corrupt":true`: the reader of a timeline must see that, not an error
/// page.
[[nodiscard]] std::string render_event(const storage::event_view& event);

} // namespace holdfast::api
