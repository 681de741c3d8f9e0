// Merchants and their keys: made, listed, revoked. A key's text leaves in the answer that made
// it and is nowhere else.
#include "messages/assert.hpp"
#include "messages/json_writer.hpp"
#include "messages/limits.hpp"
#include "runtime/api/admin_routes.hpp"
#include "runtime/api/field_reader.hpp"
#include "runtime/api/media_type.hpp"
#include "runtime/api/query.hpp"
#include "runtime/api/reading.hpp"
#include "runtime/api/strict_json.hpp"

#include <boost/json/object.hpp>

#include <algorithm>

namespace holdfast::api {

namespace {

constexpr std::int64_t fee_bps_max = 10'000; // all of it

struct key_order {
  merchant_id merchant;
  bool live = false;
  std::uint16_t stripes = 1; ///< of the merchant
};

void write_merchant(json_writer& json, const storage::merchant_row& merchant) {
  json.member("id", merchant.id.text())
    .member("object", "merchant")
    .member("name", merchant.name)
    .member("currency", merchant.unit.code())
    .member("stripes", merchant.stripes)
    .member("fee_bps", merchant.fee_bps)
    .member("created_at", to_rfc3339(merchant.created_at));
}

void write_key(json_writer& json, const storage::api_key_row& key) {
  json.member("id", key.id.text())
    .member("object", "api_key")
    .member("merchant", key.merchant.text())
    .member("live", key.live)
    .member("created_at", to_rfc3339(key.created_at))
    .member_or_null("revoked_at", key.revoked_at ? to_rfc3339(*key.revoked_at) : std::string{});
}

std::string render_merchant(const storage::merchant_row& merchant) {
  json_writer json;
  json.begin_object();
  write_merchant(json, merchant);
  return json.end_object().take();
}

std::string render_key(const storage::api_key_row& key) {
  json_writer json;
  json.begin_object();
  write_key(json, key);
  return json.end_object().take();
}

std::string render_new_merchant(const storage::merchant_row& merchant, const issued_key& key) {
  json_writer json;
  json.begin_object();
  write_merchant(json, merchant);
  json.member("key", key.row.id.text()).member("api_key", key.text.reveal());
  return json.end_object().take();
}

std::string render_new_key(const issued_key& key) {
  json_writer json;
  json.begin_object();
  write_key(json, key.row);
  return json.member("api_key", key.text.reveal()).end_object().take();
}

/// The databases that have room for so many stripes, which must lie in one; there is one.
std::vector<shard_range> roomy_ranges(const shard_layout& layout, std::uint16_t stripes) {
  auto ranges = layout.ranges();
  std::erase_if(ranges, [&](const shard_range& range) { return range.size() < stripes; });
  return ranges;
}

/// A shard of these ranges, each as likely as another.
shard_number draw_home(const std::vector<shard_range>& ranges, std::uint64_t random) {
  std::uint64_t homes = 0;
  for (const auto& range : ranges)
    homes += range.size();
  HF_ASSERT(homes > 0);
  auto drawn = random % homes;
  for (const auto& range : ranges) {
    if (drawn < range.size())
      return {static_cast<std::uint16_t>(range.first.value + drawn)};
    drawn -= range.size();
  }
  return {};
}

/// All but its id.
checked<storage::merchant_row> read_merchant(const admin_services& services,
                                             std::string_view body) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"name", "currency", "stripes", "fee_bps"});
  const auto& options = services.options;
  const auto widest = std::ranges::max(options.layout.ranges(), {}, &shard_range::size).size();
  const auto stripes_max = std::min(limits::stripes_max, widest);
  storage::merchant_row row;
  row.name = fields.required_text("name", limits::merchant_name_bytes_max);
  row.unit = fields.required_currency("currency");
  row.stripes = static_cast<std::uint16_t>(fields.integer("stripes", 1, stripes_max, 1));
  row.fee_bps = static_cast<std::uint32_t>(
    fields.integer("fee_bps", 0, fee_bps_max, options.fee_bps_default));
  if (refused)
    return *refused;
  row.created_at = options.now();
  return row;
}

checked<key_order> read_key_order(std::string_view body) {
  const auto document = parse_object(body);
  if (!document)
    return document.error();
  std::optional<refusal> refused;
  field_reader fields{*document, {}, refused};
  fields.only({"merchant", "live"});
  const auto merchant = merchant_id::parse(fields.required_text("merchant", 64));
  if (!merchant)
    fields.refuse("merchant", "invalid_field", "Expected a merchant's id.");
  const bool live = fields.flag("live", false);
  if (refused)
    return *refused;
  return key_order{.merchant = *merchant, .live = live};
}

/// Makes and stores a key, makes the ring know it, and only then answers 201 with what `render`
/// makes of it: whoever reads the answer can use the key at once.
template <class Render>
void add_key(const admin_services_ptr& services, const exchange_ptr& call, key_order order,
             Render render) {
  const auto now = services->options.now();
  auto issued =
    services->keys.issue(order.merchant, order.live, now, services->options.random());
  if (!issued)
    return call->refuse(issued.error());
  const auto answer = [call, key = *issued, render](const expected<void>&) {
    // A failed look only means that the ring looks again when the key is first used.
    call->send_json(201, render(key));
  };
  const auto learn =
    [services, answer, stripes = order.stripes,
     heard = services->keys.heard(order.merchant.shard())](const storage::api_key_row& made) {
      services->keys.learn({made, stripes}, heard, services->options.now(), answer);
    };
  services->store.create_key(issued->row, unless_failed<storage::api_key_row>(call, learn));
}

/// Stores the merchant in one of the ranges' databases and gives it a key. A database that is
/// away is passed over for another; should it have stored the row after all, a merchant without
/// a key remains there, which nobody can use.
void settle_merchant(const admin_services_ptr& services, const exchange_ptr& call,
                     storage::merchant_row row, std::vector<shard_range> ranges,
                     std::size_t tried = 0) {
  const auto& options = services->options;
  const auto home = draw_home(ranges, options.random());
  row.id = merchant_id::make(row.created_at, home, options.random());
  std::erase_if(ranges, [&](const shard_range& range) { return range.contains(home); });
  ++tried;
  services->store.create_merchant(
    row, [services, call, row, ranges, tried](const expected<storage::merchant_row>& made) {
      if (made)
        return add_key(
          services, call, {.merchant = made->id, .stripes = made->stripes},
          [made = *made](const issued_key& key) { return render_new_merchant(made, key); });
      if (made.error().code != errc::unavailable || ranges.empty()
          || tried >= limits::merchant_homes_tried_max)
        return call->refuse(made.error());
      settle_merchant(services, call, row, ranges, tried);
    });
}

} // namespace

void list_merchants_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using merchants = std::vector<storage::merchant_row>;
  services->store.list_merchants(answer_with<merchants>(
    call, [call](const merchants& rows) { return render_all(*call, rows, render_merchant); }));
}

void create_merchant_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  auto row = read_merchant(*services, call->request().body);
  if (!row)
    return call->refuse(row.error());
  const auto stripes = row->stripes;
  settle_merchant(services, call, std::move(*row),
                  roomy_ranges(services->options.layout, stripes));
}

void list_keys_route(const admin_services_ptr& services, const exchange_ptr& call) {
  using keys = std::vector<storage::api_key_row>;
  query_reader query{call->request(), {"merchant"}};
  const auto merchant = query.id<merchant_id>("merchant");
  if (query.refused())
    return call->refuse(*query.refused());
  services->store.list_keys(merchant, answer_with<keys>(call, [call](const keys& rows) {
                              return render_all(*call, rows, render_key);
                            }));
}

void create_key_route(const admin_services_ptr& services, const exchange_ptr& call) {
  if (const auto refused = refuse_media_type(call->request()))
    return call->refuse(*refused);
  const auto order = read_key_order(call->request().body);
  if (!order)
    return call->refuse(order.error());
  using found_merchant = std::optional<storage::merchant_row>;
  const auto add = [services, call, order = *order](const found_merchant& merchant) {
    if (!merchant)
      return call->refuse_absent("merchant");
    add_key(services, call,
            {.merchant = merchant->id, .live = order.live, .stripes = merchant->stripes},
            render_new_key);
  };
  services->store.find_merchant(order->merchant, unless_failed<found_merchant>(call, add));
}

void revoke_key_route(const admin_services_ptr& services, const exchange_ptr& call) {
  const auto id = id_in_path<key_id>(*call, "key");
  if (!id)
    return;
  using found_key = std::optional<storage::api_key_row>;
  const auto answer = [services, call](const storage::api_key_row& key,
                                       const expected<void>& learnt) {
    // A look that began before the revocation may have brought the key back: say so rather
    // than "done", as long as it opens the door.
    if (!learnt && services->keys.opens(key))
      return call->refuse(learnt.error());
    json_writer json;
    json.begin_object().member("id", key.id.text()).member("object", "api_key");
    call->send_json(200, json.member("revoked", true).end_object().take());
  };
  const auto learn = [services, call, answer,
                      heard = services->keys.heard(id->shard())](const found_key& key) {
    if (!key)
      return call->refuse_absent("key");
    services->keys.learn(
      {*key, 1}, heard, services->options.now(),
      [answer, key = *key](const expected<void>& learnt) { answer(key, learnt); });
  };
  services->store.revoke_key(*id, services->options.now(),
                             unless_failed<found_key>(call, learn));
}

} // namespace holdfast::api
