#include "runtime/simulation/database.hpp"

#include "runtime/simulation/checker.hpp"
#include "runtime/simulation/settlement.hpp"
#include "runtime/simulation/world.hpp"

namespace holdfast::simulation {

database::database(world& of, std::size_t shards)
  : world_(of),
    shards_(shards),
    payments_of_(shards),
    keys_of_(shards) {}

write_outcome database::commit(payment_write& write, sequence_number first_seq) {
  auto& row = shards_[write.shard.value];
  if (!owns(write.shard, write.epoch))
    return write_outcome::not_owner;
  if (write.claim && find_key(write.claim->name) != nullptr
      && world_.planted() != plant::replay_as_new)
    return write_outcome::key_conflict;
  if (world_.strikes(fault::write_refused))
    return write_outcome::rejected;
  const auto* before = find_payment(write.subject);
  world_.check().commit(write, row, first_seq, before == nullptr ? nullptr : &*before->state);
  row.last_seq.value = first_seq.value + static_cast<std::int64_t>(write.events.size()) - 1;
  keep(write);
  return write_outcome::committed;
}

bool database::owns(shard_number shard, epoch_number epoch) const {
  return shards_[shard.value].epoch == epoch || world_.planted() == plant::drop_fence;
}

void database::keep(payment_write& write) {
  const auto now = world_.now();
  if (write.claim) {
    auto [found, is_new] = keys_.try_emplace(write.claim->name);
    found->second = {write.claim->request, write.claim->subject, nullptr, now};
    if (is_new)
      keys_of_[write.shard.value].push_back(write.claim->name);
  }
  if (write.answer) {
    auto& key = keys_[write.answer->name];
    key.answer = write.answer->answer;
    key.written_at = now;
  }
  if (!write.after)
    return;
  if (write.subject >= payments_.size())
    payments_.resize(write.subject + 1);
  auto& row = payments_[write.subject];
  if (!row.state)
    payments_of_[write.shard.value].push_back(write.subject);
  else
    pending_ -= has_pending_work(*row.state) ? 1 : 0;
  pending_ += has_pending_work(*write.after) ? 1 : 0;
  for (const auto& entry : write.postings) {
    post(entry);
    for (const auto& leg : entry.legs)
      row.moved[static_cast<std::size_t>(leg.where.kind)] += leg.amount.value();
  }
  row.state = write.after;
  for (auto& one : write.events) {
    world_.settle().note(write.shard, write.subject, one);
    row.history.push_back(std::move(one));
  }
  world_.check().committed(write.subject, row);
}

void database::post(const posting& entry) {
  if (const auto* wrong = books_.post(entry))
    world_.check().fail('M', wrong, ref_of(entry.subject));
}

const payment_row* database::find_payment(payment_ref payment) const noexcept {
  if (payment >= payments_.size() || !payments_[payment].state)
    return nullptr;
  return &payments_[payment];
}

storage::stored_key database::stored(const key_row& row) const {
  storage::stored_key key;
  key.request = row.request;
  key.subject = world_.id_of(row.subject).value;
  key.last_used_at = row.written_at;
  if (row.answer)
    key.answer = *row.answer;
  return key;
}

const key_row* database::find_key(const key_name& name) const {
  const auto found = keys_.find(name);
  return found == keys_.end() ? nullptr : &found->second;
}

} // namespace holdfast::simulation
