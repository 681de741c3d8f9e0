// Reads the whole ledger, chunk by chunk, in one snapshot and checks all that must hold.
#include "messages/codec.hpp"
#include "messages/limits.hpp"
#include "storage/chain.hpp"
#include "storage/postgres_store.hpp"
#include "storage/rows.hpp"

#include <map>
#include <unordered_map>

namespace holdfast::storage {

bool ledger_proof::holds() const noexcept {
  return debits_equal_credits && balances_equal_fold && running_balances_hold
         && postings_balance && sequences_have_no_gap && chain_holds && payments_match_events;
}

namespace {

constexpr sql heads_of_shards{"proof_heads",
                              "select shard_id, last_seq, chain from shard order by shard_id"};

constexpr sql chunk_of_events{"proof_events",
                              "select " HF_EVENT_COLUMNS
                              ", e.chain from event e where e.shard_id = $1 and e.seq > $2"
                              " order by e.seq limit $3"};

constexpr sql entries_of_range{
  "proof_entries",
  "select l.seq, l.leg, l.posting, l.account_id, l.kind, l.subject, l.ordinal, l.amount,"
  " l.currency, l.balance_after, l.external_ref"
  " from ledger_entry l where l.shard_id = $1 and l.seq > $2 and l.seq <= $3"
  " order by l.seq, l.leg"};

constexpr sql entries_of_strays{
  "proof_strays",
  "select count(*) from ledger_entry l join shard s using (shard_id) where l.seq > s.last_seq"};

constexpr sql all_accounts{
  "proof_accounts",
  "select id, balance from account where ($1::uuid is null or id > $1) order by id limit $2"};

constexpr sql chunk_of_payments{"proof_payments",
                                "select " HF_PAYMENT_COLUMNS
                                " from payment p where ($1::uuid is null or p.id > $1)"
                                " order by p.id limit $2"};

constexpr sql events_of_payments{"proof_payment_events",
                                 "select " HF_EVENT_COLUMNS
                                 " from event e where e.subject = any($1::uuid[])"
                                 " order by e.subject, e.seq"};

constexpr sql orphaned_payments{
  "proof_orphans",
  "select count(*) from event e where e.type = 1"
  " and not exists (select from payment p where p.id = e.subject)"};

/// What is withheld of a payment is what its disputes, open or lost, have reserved.
constexpr sql wrong_disputes{"proof_disputes", R"sql(
select count(*)
  from (select payment_id, coalesce(sum(reserved) filter (where status <> 2), 0) as reserved
          from payment_dispute group by payment_id) d
  full join (select id, disputed from payment where disputed <> 0) p on p.id = d.payment_id
 where coalesce(d.reserved, 0) <> coalesce(p.disputed, 0))sql"};

/// Each notice that was recorded, swept by now or not, shows in the log, and the other way
/// round.
constexpr sql unmatched_notices{"proof_notices",
                                "select (select count(*) from event where type = 19)"
                                " - (select count(*) from webhook_event)"
                                " - (select webhook_events_swept from cluster)"};

/// Wraps around instead of asserting, for these are rows, and someone may have changed them.
void add(minor_units& sum, minor_units amount) noexcept {
  sum = minor_units{static_cast<std::int64_t>(static_cast<std::uint64_t>(sum.value())
                                              + static_cast<std::uint64_t>(amount.value()))};
}

steady_time chunk_deadline() {
  return std::chrono::steady_clock::now() + limits::report_query_time_max;
}

struct proof_entry {
  std::int64_t seq = 0;
  std::int32_t leg = 0;
  std::int32_t posting = 0;
  uuid account;
  posting_kind kind = posting_kind::authorization;
  uuid subject;
  std::uint32_t ordinal = 0;
  minor_units amount;
  currency unit;
  minor_units balance_after;
  std::string external_ref;
};

proof_entry read_proof_entry(row& from) {
  proof_entry entry;
  entry.seq = from.int8();
  entry.leg = from.int4();
  entry.posting = from.int4();
  entry.account = from.id();
  entry.kind = from.number<posting_kind>();
  entry.subject = from.id();
  entry.ordinal = static_cast<std::uint32_t>(from.int4());
  entry.amount = from.amount();
  entry.unit = from.unit();
  entry.balance_after = from.amount();
  entry.external_ref = from.text();
  return entry;
}

struct proof_event {
  event_view event;
  std::optional<std::string> chain;
};

proof_event read_proof_event(row& from) {
  proof_event read{read_event(from), std::nullopt};
  if (!from.skip_null())
    read.chain = from.bytes();
  return read;
}

struct shard_end {
  shard_number shard;
  sequence_number last_seq;
  std::string chain;
};

shard_end read_shard_end(row& from) {
  shard_end end;
  end.shard = from.shard();
  end.last_seq.value = from.int8();
  end.chain = from.bytes();
  return end;
}

template <class T, class Read>
expected<std::vector<T>> fetch(connection& db, const sql& what, const parameters& values,
                               Read read) {
  const auto found = db.query(what, values, chunk_deadline());
  if (!found)
    return found.error();
  return read_all<T>(*found, read);
}

/// One run over everything. Each part answers only for whether it could read; what it finds
/// goes into the proof.
class prover {
public:
  prover(connection& db, const store::payment_fold& fold,
         const std::function<void(double)>& progress)
    : db_(db),
      fold_(fold),
      progress_(progress) {
    proof_.debits_equal_credits = proof_.balances_equal_fold = true;
    proof_.running_balances_hold = proof_.postings_balance = true;
    proof_.sequences_have_no_gap = proof_.chain_holds = proof_.payments_match_events = true;
  }

  expected<ledger_proof> run() {
    const auto ends = fetch<shard_end>(db_, heads_of_shards, {}, read_shard_end);
    if (!ends)
      return ends.error();
    for (const auto& end : *ends)
      total_ += static_cast<std::uint64_t>(end.last_seq.value);
    for (const auto& end : *ends)
      if (auto read = check_log(end); !read)
        return read.error();
    for (auto part : {&prover::check_strays, &prover::check_accounts, &prover::check_payments,
                      &prover::check_orphans, &prover::check_disputes, &prover::check_notices})
      if (auto read = (this->*part)(); !read)
        return read.error();
    for (const auto& [unit, sum] : sums_)
      if (sum != minor_units{})
        find(proof_.debits_equal_credits,
             "debits and credits differ by " + to_text({sum, unit}));
    report(1.0);
    return std::move(proof_);
  }

private:
  void find(bool& claim, std::string finding) {
    claim = false;
    if (proof_.findings.size() < limits::proof_findings_max)
      proof_.findings.push_back(std::move(finding));
  }

  void report(double fraction) const {
    if (progress_)
      progress_(fraction);
  }

  // -- the logs, with their entries and chains ------------------------------------------------

  expected<void> check_log(const shard_end& end) {
    sequence_number at;
    auto chain = empty_chain();
    bool sealed = true;
    for (;;) {
      const auto events = fetch<proof_event>(
        db_, chunk_of_events,
        parameters::of(end.shard, at, std::int64_t{limits::proof_chunk_rows}),
        read_proof_event);
      if (!events)
        return events.error();
      if (events->empty())
        break;
      const auto last = events->back().event.seq;
      const auto entries = fetch<proof_entry>(
        db_, entries_of_range, parameters::of(end.shard, at, last), read_proof_entry);
      if (!entries)
        return entries.error();
      std::size_t next = 0;
      for (const auto& one : *events) {
        check_event(one, at, *entries, next, chain);
        sealed = one.chain.has_value();
      }
      if (next != entries->size())
        find(proof_.sequences_have_no_gap,
             "shard " + std::to_string(end.shard.value) + " has entries without an event");
      report(total_ == 0
               ? 0
               : 0.6 * static_cast<double>(proof_.events) / static_cast<double>(total_));
    }
    const auto name = "shard " + std::to_string(end.shard.value);
    if (at != end.last_seq)
      find(proof_.sequences_have_no_gap, name + " ends at " + std::to_string(at.value)
                                           + ", not " + std::to_string(end.last_seq.value));
    if (chain != end.chain || !sealed)
      find(proof_.chain_holds, name + ": the chain's head does not match the log");
    return {};
  }

  void check_event(const proof_event& one, sequence_number& at,
                   const std::vector<proof_entry>& entries, std::size_t& next,
                   std::string& chain) {
    const auto& event = one.event;
    const auto name = event_id_text(event.shard, event.seq);
    if (event.seq.value != at.value + 1)
      find(proof_.sequences_have_no_gap, "a gap before " + name);
    at = event.seq;
    ++proof_.events;
    link_.begin(event.shard, event.seq, event.type, event.merchant.value, event.subject,
                event.at, event.payload);
    std::map<std::pair<std::int32_t, currency>, minor_units> postings;
    for (; next < entries.size() && entries[next].seq <= event.seq.value; ++next) {
      const auto& entry = entries[next];
      ++proof_.entries;
      link_.add_leg(entry.posting, entry.kind, entry.subject, entry.ordinal, entry.account,
                    entry.amount, entry.external_ref);
      add(postings[{entry.posting, entry.unit}], entry.amount);
      add(sums_[entry.unit], entry.amount);
      auto& balance = balances_[entry.account];
      add(balance, entry.amount);
      if (balance != entry.balance_after)
        find(proof_.running_balances_hold,
             "a running balance is wrong at " + name + " leg " + std::to_string(entry.leg));
    }
    for (const auto& [posting, sum] : postings)
      if (sum != minor_units{})
        find(proof_.postings_balance, "a posting does not sum to zero at " + name);
    link_.advance(chain);
    if (one.chain && *one.chain != chain) {
      find(proof_.chain_holds, "the chain breaks at or before " + name);
      chain = *one.chain; // So that a second break is found apart from the first.
    }
  }

  expected<void> check_strays() {
    return check_none(entries_of_strays, proof_.sequences_have_no_gap,
                      "ledger entries lie beyond their shard's head");
  }

  expected<void> check_orphans() {
    return check_none(orphaned_payments, proof_.payments_match_events,
                      "payments that the log tells of are missing");
  }

  expected<void> check_disputes() {
    return check_none(wrong_disputes, proof_.payments_match_events,
                      "payments withhold another amount than their disputes have reserved");
  }

  expected<void> check_notices() {
    return check_none(unmatched_notices, proof_.payments_match_events,
                      "events of webhooks and recorded webhooks differ in number");
  }

  expected<void> check_none(const sql& counting, bool& claim, const std::string& finding) {
    const auto found = db_.query(counting, {}, chunk_deadline());
    if (!found)
      return found.error();
    if (const auto count = row{*found, 0}.int8(); count != 0)
      find(claim, finding + ": " + std::to_string(count));
    return {};
  }

  // -- balances -------------------------------------------------------------------------------

  expected<void> check_accounts() {
    std::optional<uuid> after;
    std::size_t touched = 0;
    for (;;) {
      const auto found =
        db_.query(all_accounts, parameters::of(after, std::int64_t{limits::proof_chunk_rows}),
                  chunk_deadline());
      if (!found)
        return found.error();
      if (found->rows() == 0)
        break;
      for (int i = 0; i < found->rows(); ++i) {
        row from{*found, i};
        after = from.id();
        const auto balance = from.amount();
        const auto folded = balances_.find(*after);
        touched += folded != balances_.end() ? 1 : 0;
        if (balance != (folded != balances_.end() ? folded->second : minor_units{}))
          find(proof_.balances_equal_fold,
               "the balance of account " + to_hex(*after) + " is not the sum of its entries");
        ++proof_.accounts;
      }
    }
    if (touched != balances_.size())
      find(proof_.balances_equal_fold, "entries name accounts that do not exist");
    return {};
  }

  // -- payments -------------------------------------------------------------------------------

  expected<void> check_payments() {
    std::optional<uuid> after;
    for (;;) {
      const auto payments = fetch<payment>(
        db_, chunk_of_payments,
        parameters::of(after, std::int64_t{limits::proof_chunk_rows} / 4), read_payment);
      if (!payments)
        return payments.error();
      if (payments->empty())
        return {};
      after = payments->back().id.value;
      std::vector<uuid> ids;
      for (const auto& subject : *payments)
        ids.push_back(subject.id.value);
      const auto events =
        fetch<event_view>(db_, events_of_payments, parameters::of(to_array(ids)), read_event);
      if (!events)
        return events.error();
      check_folds(*payments, *events);
      checked_ += payments->size();
      // The number of payments is not known ahead; this comes close to the end and never passes
      // it.
      report(0.6
             + 0.4 * static_cast<double>(checked_) / static_cast<double>(checked_ + total_));
    }
  }

  void check_folds(const std::vector<payment>& payments,
                   const std::vector<event_view>& events) {
    auto from = events.begin();
    for (const auto& stored : payments) {
      auto to = from;
      while (to != events.end() && to->subject == stored.id.value)
        ++to;
      const auto folded = fold_({from, to});
      from = to;
      if (!folded)
        find(proof_.payments_match_events,
             stored.id.text() + " can't be folded: " + folded.error().detail);
      else if (!is_same(stored, *folded))
        find(proof_.payments_match_events, stored.id.text() + " differs from its events");
    }
  }

  /// All but `settlement`, which is not the events' to tell.
  static bool is_same(const payment& a, const payment& b) {
    return a.id == b.id && a.merchant == b.merchant && a.status == b.status && a.unit == b.unit
           && a.amount == b.amount && a.captured == b.captured && a.refunded == b.refunded
           && a.disputed == b.disputed && a.mode == b.mode && a.reference == b.reference
           && a.acquirer == b.acquirer && a.created_at == b.created_at
           && a.updated_at == b.updated_at && a.next_action_at == b.next_action_at
           && encode_detail(a) == encode_detail(b);
  }

  connection& db_;
  const store::payment_fold& fold_;
  const std::function<void(double)>& progress_;
  ledger_proof proof_;
  chain_link link_;
  std::uint64_t total_ = 0;
  std::uint64_t checked_ = 0;
  std::map<currency, minor_units> sums_;
  /// One number an account: the only part that grows with the ledger's breadth, not its length.
  std::unordered_map<uuid, minor_units> balances_;
};

} // namespace

expected<ledger_proof> prove_ledger(connection& db, const store::payment_fold& fold,
                                    const std::function<void(double)>& progress) {
  // The checks would otherwise see different moments of a ledger that is being written.
  if (auto begun =
        db.script("begin isolation level repeatable read read only", chunk_deadline());
      !begun)
    return begun.error();
  auto proof = prover{db, fold, progress}.run();
  if (!db.failed())
    if (auto ended = db.script("rollback", chunk_deadline()); !ended && proof)
      return ended.error();
  return proof;
}

void postgres_store::verify_ledger(payment_fold fold, std::function<void(double)> progress,
                                   callback<ledger_proof> done) {
  readers_.ask(std::move(done), [fold = std::move(fold), progress = std::move(progress)](
                                  connection& db) { return prove_ledger(db, fold, progress); });
}

} // namespace holdfast::storage
