#include "tests/integration/storage/fixture.hpp"

#include "messages/codec.hpp"
#include "tests/support/postgres.hpp"

namespace holdfast::test {

namespace {

storage::steady_time soon() {
  return std::chrono::steady_clock::now() + patience;
}

std::unique_ptr<storage::connection> connect(const std::string& url) {
  auto db = storage::connection::open(url, "test", soon());
  BOOST_REQUIRE_MESSAGE(db, (db ? std::string{} : db.error().detail));
  return std::move(*db);
}

std::string migrated(std::string url, const storage::database_identity& identity) {
  const auto done = storage::migrate(url, identity);
  BOOST_REQUIRE_MESSAGE(done, (done ? std::string{} : done.error().detail));
  return url;
}

constexpr storage::sql raise_epoch{"test_raise_epoch",
                                   "update shard set epoch = epoch + 1 where shard_id = $1 "
                                   "returning epoch, last_seq, chain"};

storage::event_record record(const payment& subject, payment_event event) {
  return {type_of(event),     subject.merchant, subject.id.value,
          subject.updated_at, encode(event),    {}};
}

ledger_leg leg(account_kind kind, std::string owner, std::int64_t amount, currency unit) {
  return {{kind, std::move(owner), unit}, minor_units{amount}};
}

void apply_captured(payment& subject, std::int64_t amount) {
  operation capture;
  capture.kind = operation_kind::capture;
  capture.status = operation_status::succeeded;
  capture.ordinal = static_cast<std::uint32_t>(subject.operations.size()) + 1;
  capture.id = subject.id.value;
  capture.id.bytes[15] = static_cast<std::uint8_t>(capture.id.bytes[15] ^ capture.ordinal);
  capture.amount = minor_units{amount};
  capture.gateway_reference = "capture";
  capture.created_at = subject.updated_at;
  subject.operations.push_back(capture);
  subject.captured += minor_units{amount};
  subject.status = subject.captured == subject.amount ? payment_status::captured
                                                      : payment_status::partially_captured;
}

} // namespace

void wait_until(const std::function<bool()>& condition) {
  storage::wake_event never;
  const auto deadline = soon();
  while (!condition()) {
    BOOST_REQUIRE_MESSAGE(std::chrono::steady_clock::now() < deadline,
                          "a condition did not come true in time");
    never.wait_until(std::chrono::steady_clock::now() + std::chrono::milliseconds{5});
  }
}

storage::database_identity test_identity() {
  return {test_cluster, test_shards, test_range};
}

storage::database_options test_options(const std::string& url, const std::string& node) {
  storage::database_options options;
  options.url = url;
  options.range = test_range;
  options.cluster = test_cluster;
  options.shards = test_shards;
  options.node = node;
  return options;
}

storage_fixture::storage_fixture() : storage_fixture(shared_postgres().create_database()) {}

storage_fixture::storage_fixture(std::string own_url, shard_range range, const uuid& cluster_id)
  : url(migrated(std::move(own_url), {test_cluster, test_shards, range, cluster_id})) {}

storage_fixture::storage_fixture(const storage::database_identity& identity)
  : url(migrated(shared_postgres().create_database(), identity)) {}

std::unique_ptr<storage::database> storage_fixture::open(
  const std::string& node, milliseconds lease,
  std::shared_ptr<storage::sequence_marks> marks) const {
  auto options = test_options(url, node);
  options.marks = std::move(marks);
  options.lease = lease;
  auto opened = storage::open_database(options);
  BOOST_REQUIRE_MESSAGE(opened, (opened ? std::string{} : opened.error().detail));
  return std::move(*opened);
}

storage::acquired_shard storage_fixture::take_over(shard_number shard) const {
  const auto db = connect(url);
  const auto raised = db->query(raise_epoch, storage::parameters::of(shard), soon());
  BOOST_REQUIRE(raised && raised->rows() == 1);
  storage::row from{*raised, 0};
  const epoch_number epoch{from.int8()};
  const sequence_number last_seq{from.int8()};
  return {shard, epoch, last_seq, std::string{from.bytes()}};
}

storage::acquired_shard storage_fixture::open_shard(storage::journal& journal,
                                                    shard_number shard) const {
  auto owner = take_over(shard);
  journal.open_shard(owner.shard, owner.epoch, owner.last_seq, owner.chain);
  return owner;
}

uuid storage_fixture::cluster_id() const {
  return parse_hex(value("select replace(cluster_id::text, '-', '') from cluster")).value();
}

std::string storage_fixture::value(const std::string& query) const {
  const auto text = "select coalesce((" + query + ")::text, 'null')";
  const storage::sql what{"test_value", text.c_str()};
  const auto db = connect(url);
  const auto found = db->query(what, {}, soon());
  BOOST_REQUIRE_MESSAGE(found, (found ? std::string{} : found.error().detail));
  return storage::row{*found, 0}.text();
}

std::string storage_fixture::run(const std::string& script) const {
  const auto done = connect(url)->script(script, soon());
  return done ? std::string{} : done.error().detail;
}

merchant_id merchant_of(shard_number shard, std::uint64_t number) {
  return merchant_id::make(test_time(), shard, number);
}

timestamp test_time() {
  return *parse_rfc3339("2026-11-23T12:00:00Z");
}

storage::journal_write create_write(const storage::acquired_shard& owner, std::uint64_t number,
                                    std::int64_t amount) {
  payment_created event;
  event.id = payment_id::make(test_time() + milliseconds{static_cast<std::int64_t>(number)},
                              owner.shard, number);
  event.merchant = merchant_of(owner.shard);
  event.unit = *currency::parse("EUR");
  event.amount = minor_units{amount};
  event.card = {"visa", "4242", 12, 2030};
  event.reference = "order-" + std::to_string(number);
  event.idempotency_key = "key-" + std::to_string(number);
  event.route = {"alpha"};
  event.acquirer = "first";

  storage::journal_write write;
  write.shard = owner.shard;
  write.epoch = owner.epoch;
  storage::event_view view;
  view.type = event_type::payment_created;
  view.at = test_time();
  view.payload = encode(payment_event{event});
  write.snapshot = std::make_shared<const payment>(*fold({view}));
  write.events = {record(*write.snapshot, event)};
  storage::key_claim claim;
  claim.merchant = event.merchant;
  claim.key = event.idempotency_key;
  claim.request.fill(static_cast<std::uint8_t>(number));
  claim.subject = event.id.value;
  write.claim = std::move(claim);
  return write;
}

payment& own_snapshot(storage::journal_write& write) {
  auto own = std::make_shared<payment>(*write.snapshot);
  write.snapshot = own;
  return *own;
}

storage::journal_write authorize_write(const storage::acquired_shard& owner,
                                       const payment& before) {
  storage::journal_write write;
  write.shard = owner.shard;
  write.epoch = owner.epoch;
  auto after = std::make_shared<payment>(before);
  after->status = payment_status::authorized;
  write.snapshot = std::move(after);
  auto event = record(before, authorization_approved{1, "hold", test_time()});
  posting hold;
  hold.kind = posting_kind::authorization;
  hold.subject = before.id.value;
  hold.ordinal = 1;
  hold.external_ref = "hold";
  const auto amount = before.amount.value();
  hold.legs = {leg(account_kind::hold, "alpha", amount, before.unit),
               leg(account_kind::hold_contra, before.merchant.text(), -amount, before.unit)};
  event.postings = {std::move(hold)};
  write.events = {std::move(event)};
  storage::key_answer answer;
  answer.merchant = before.merchant;
  answer.key = before.idempotency_key;
  answer.answer = {201, "application/json", "{\"id\":\"" + before.id.text() + "\"}", ""};
  write.answer = std::move(answer);
  return write;
}

storage::journal_write capture_write(const storage::acquired_shard& owner,
                                     const payment& before, std::int64_t amount) {
  storage::journal_write write;
  write.shard = owner.shard;
  write.epoch = owner.epoch;
  auto after = std::make_shared<payment>(before);
  apply_captured(*after, amount);
  write.snapshot = std::move(after);
  const auto& capture = write.snapshot->operations.back();
  // The amount travels in the reference, so that the fold above needs no request before it.
  auto event = record(before, operation_succeeded{operation_kind::capture, capture.ordinal,
                                                  std::to_string(amount)});
  posting moved;
  moved.kind = posting_kind::capture;
  moved.subject = before.id.value;
  moved.ordinal = capture.ordinal;
  moved.external_ref = "capture";
  const auto merchant = before.merchant.text();
  moved.legs = {leg(account_kind::hold, "alpha", -amount, before.unit),
                leg(account_kind::hold_contra, merchant, amount, before.unit),
                leg(account_kind::acquirer_receivable, "first", amount, before.unit),
                leg(account_kind::merchant_pending, merchant, -amount, before.unit)};
  event.postings = {std::move(moved)};
  write.events = {std::move(event)};
  write.changed_operations = {capture};
  return write;
}

storage::write_result commit(storage::journal& journal, storage::journal_write write) {
  answers<storage::write_result> done;
  journal.submit(std::move(write), done.sink());
  return done.wait().front();
}

std::vector<storage::write_result> commit_all(storage::journal& journal,
                                              std::vector<storage::journal_write> writes) {
  std::vector<answers<storage::write_result>> done(writes.size());
  for (std::size_t i = 0; i < writes.size(); ++i)
    journal.submit(std::move(writes[i]), done[i].sink());
  std::vector<storage::write_result> results;
  for (auto& one : done)
    results.push_back(one.wait().front());
  return results;
}

expected<payment> fold(const std::vector<storage::event_view>& events) {
  payment subject;
  for (const auto& view : events) {
    const auto event = decode_payment_event(view.type, view.payload);
    if (!event)
      return event.error();
    subject.updated_at = view.at;
    if (const auto* created = std::get_if<payment_created>(&*event)) {
      subject.id = created->id;
      subject.merchant = created->merchant;
      subject.unit = created->unit;
      subject.amount = created->amount;
      subject.mode = created->mode;
      subject.card = created->card;
      subject.reference = created->reference;
      subject.idempotency_key = created->idempotency_key;
      subject.route = created->route;
      subject.acquirer = created->acquirer;
      subject.created_at = view.at;
    } else if (std::holds_alternative<authorization_approved>(*event)) {
      subject.status = payment_status::authorized;
    } else if (const auto* done = std::get_if<operation_succeeded>(&*event)) {
      apply_captured(subject, std::stoll(done->gateway_reference));
    }
  }
  return subject;
}

} // namespace holdfast::test
