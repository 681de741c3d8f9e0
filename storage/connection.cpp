#include "storage/connection.hpp"

#include <libpq-fe.h>

#include <array>
#include <cstdlib>

#include <poll.h>

namespace holdfast::storage {

namespace {

/// Whatever the server's own configuration says, these hold for us: durable commits, plans
/// without surprises, and an end to transactions whose client was cut off.
constexpr const char* common_settings =
  "set synchronous_commit = on; set timezone = 'UTC'; set jit = off; "
  "set client_min_messages = warning; set idle_in_transaction_session_timeout = '60s'";

/// More than any statement of ours has.
constexpr std::size_t statement_parameters_max = 32;

constexpr auto all_binary = [] {
  std::array<int, statement_parameters_max> formats{};
  formats.fill(1);
  return formats;
}();

/// A primary that was demoted, or set read-only, answers each write so.
bool says_read_only(const result& answer) {
  return answer.sqlstate() == "25006";
}

std::string first_line(const char* message) {
  const std::string_view text = message != nullptr ? message : "";
  return std::string{text.substr(0, text.find('\n'))};
}

} // namespace

// -- result -----------------------------------------------------------------------------------

void result::clear::operator()(pg_result* raw) const noexcept {
  PQclear(raw);
}

bool result::ok() const noexcept {
  const auto status = PQresultStatus(raw_.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

bool result::is_sync() const noexcept {
  return PQresultStatus(raw_.get()) == PGRES_PIPELINE_SYNC;
}

bool result::is_skipped() const noexcept {
  return PQresultStatus(raw_.get()) == PGRES_PIPELINE_ABORTED;
}

int result::rows() const noexcept {
  return PQntuples(raw_.get());
}

std::int64_t result::affected() const noexcept {
  return std::strtoll(PQcmdTuples(const_cast<PGresult*>(raw_.get())), nullptr, 10);
}

std::string_view result::sqlstate() const noexcept {
  const char* state = PQresultErrorField(raw_.get(), PG_DIAG_SQLSTATE);
  return state != nullptr ? state : "";
}

std::string result::reason() const {
  std::string text{sqlstate()};
  if (const char* constraint = PQresultErrorField(raw_.get(), PG_DIAG_CONSTRAINT_NAME))
    return text.append(" ").append(constraint);
  return text.append(" ").append(
    first_line(PQresultErrorField(raw_.get(), PG_DIAG_MESSAGE_PRIMARY)));
}

// -- row --------------------------------------------------------------------------------------

namespace {

template <class T>
T read_big_endian(std::string_view bytes) {
  HF_ASSERT(bytes.size() == sizeof(T));
  std::uint64_t value = 0;
  for (const char c : bytes)
    value = value << 8 | static_cast<unsigned char>(c);
  return static_cast<T>(value);
}

} // namespace

std::string_view row::column() {
  HF_ASSERT(next_ < PQnfields(from_));
  const int at = next_++;
  return {PQgetvalue(from_, index_, at),
          static_cast<std::size_t>(PQgetlength(from_, index_, at))};
}

bool row::boolean() {
  return column() == std::string_view{"\1", 1};
}
std::int16_t row::int2() {
  return read_big_endian<std::int16_t>(column());
}
std::int32_t row::int4() {
  return read_big_endian<std::int32_t>(column());
}
std::int64_t row::int8() {
  return read_big_endian<std::int64_t>(column());
}
std::string row::text() {
  return std::string{column()};
}
std::string_view row::bytes() {
  return column();
}
timestamp row::time() {
  return from_pg_time(int8());
}
shard_number row::shard() {
  return shard_number{static_cast<std::uint16_t>(int2())};
}

uuid row::id() {
  const auto bytes = column();
  uuid value;
  HF_ASSERT(bytes.size() == value.bytes.size());
  std::copy(bytes.begin(), bytes.end(), value.bytes.begin());
  return value;
}

currency row::unit() {
  const auto code = column();
  if (code.empty())
    return {};
  const auto parsed = currency::parse(code);
  ok_ = ok_ && parsed.has_value();
  return parsed ? *parsed : currency{};
}

bool row::skip_null() {
  HF_ASSERT(next_ < PQnfields(from_));
  if (PQgetisnull(from_, index_, next_) == 0)
    return false;
  ++next_;
  return true;
}

std::optional<timestamp> row::optional_time() {
  if (skip_null())
    return std::nullopt;
  return time();
}

std::optional<std::int32_t> row::optional_int4() {
  if (skip_null())
    return std::nullopt;
  return int4();
}

// -- opening ----------------------------------------------------------------------------------

expected<std::unique_ptr<connection>> connection::open(
  const std::string& url, std::string_view purpose, steady_time deadline, const char* settings,
  std::uint32_t timeline_min, const wake_event* unwanted) {
  auto server =
    connect_to_any(url, "holdfast " + std::string{purpose}, timeline_min, deadline, unwanted);
  if (!server)
    return server.error();
  std::unique_ptr<connection> opened{new connection{std::move(*server)}};
  // What the server remarks on would otherwise land on our standard error.
  PQsetNoticeReceiver(
    opened->raw_.get(), [](void*, const PGresult*) {}, nullptr);
  if (PQsetnonblocking(opened->raw_.get(), 1) != 0)
    return opened->fail("PQsetnonblocking");
  if (auto set = opened->script(common_settings, deadline); !set)
    return set.error();
  if (settings != nullptr)
    if (auto set = opened->script(settings, deadline); !set)
      return set.error();
  if (PQenterPipelineMode(opened->raw_.get()) != 1)
    return opened->fail("PQenterPipelineMode");
  return opened;
}

connection::~connection() = default;

int connection::backend_pid() const noexcept {
  return PQbackendPID(raw_.get());
}

bool connection::is_read_only() const noexcept {
  const auto is_on = [this](const char* name) {
    const char* value = PQparameterStatus(raw_.get(), name);
    return value != nullptr && std::string_view{value} == "on";
  };
  return is_on("in_hot_standby") || is_on("default_transaction_read_only");
}

// -- waiting ----------------------------------------------------------------------------------

bool connection::wait_socket(short events, steady_time deadline) const {
  for (;;) {
    pollfd watched{PQsocket(raw_.get()), events, 0};
    const int ready = poll(&watched, 1, poll_timeout(deadline));
    if (ready > 0)
      return true;
    if (std::chrono::steady_clock::now() >= deadline)
      return false;
  }
}

bool connection::flush(steady_time deadline) {
  for (;;) {
    const int left = PQflush(raw_.get());
    if (left <= 0)
      return left == 0;
    // The server may be unable to read on before we have read what it has to say.
    if (!wait_socket(POLLIN | POLLOUT, deadline) || PQconsumeInput(raw_.get()) == 0)
      return false;
  }
}

/// Whoever was demoted will not be promoted for our sake: another host of the URL must be
/// found.
error connection::lose_primary() {
  failed_ = true;
  return make_error(errc::unavailable, "the server can't be written to any more");
}

error connection::fail(std::string_view what) {
  failed_ = true;
  return make_error(errc::unavailable,
                    std::string{what} + ": " + first_line(PQerrorMessage(raw_.get())));
}

// -- one statement ----------------------------------------------------------------------------

expected<result> connection::query(const sql& what, const parameters& values,
                                   steady_time deadline) {
  if (auto ready = prepare(what, deadline); !ready)
    return ready.error();
  send(what, values);
  send_sync();
  return receive_until_sync(deadline);
}

expected<void> connection::prepare(const sql& what, steady_time deadline) {
  if (failed_)
    return make_error(errc::unavailable, "the connection has failed");
  if (prepared_.contains(what.name))
    return {};
  queue(PQsendPrepare(raw_.get(), what.name, what.text, 0, nullptr));
  send_sync();
  if (auto done = receive_until_sync(deadline); !done)
    return done.error();
  prepared_.insert(what.name);
  return {};
}

expected<result> connection::receive_until_sync(steady_time deadline) {
  auto first = receive(deadline);
  if (!first)
    return first;
  HF_ASSERT(!first->is_sync());
  auto end = receive(deadline);
  if (!end)
    return end;
  HF_ASSERT(end->is_sync());
  if (!first->ok())
    return to_error(*first);
  return first;
}

expected<void> connection::script(const std::string& sql, steady_time deadline) {
  if (failed_)
    return make_error(errc::unavailable, "the connection has failed");
  // Several statements at once need the simple protocol, which a pipeline excludes.
  const bool piped = PQpipelineStatus(raw_.get()) != PQ_PIPELINE_OFF;
  if (piped && PQexitPipelineMode(raw_.get()) != 1)
    return fail("PQexitPipelineMode");
  if (PQsendQuery(raw_.get(), sql.c_str()) != 1 || !flush(deadline))
    return fail("script");
  std::optional<error> refusal;
  for (;;) {
    while (PQisBusy(raw_.get()) != 0)
      if (!wait_socket(POLLIN, deadline) || PQconsumeInput(raw_.get()) == 0)
        return fail("script");
    result one{PQgetResult(raw_.get())};
    if (one.raw() == nullptr)
      break;
    if (says_read_only(one))
      return lose_primary();
    if (!one.ok() && !refusal)
      refusal = to_error(one);
  }
  if (PQstatus(raw_.get()) != CONNECTION_OK || (piped && PQenterPipelineMode(raw_.get()) != 1))
    return fail("script");
  if (refusal)
    return *refusal;
  return {};
}

// -- a pipeline -------------------------------------------------------------------------------

void connection::queue(int sent) {
  // libpq only fails here when the connection is gone; the next receive says so.
  if (sent != 1)
    failed_ = true;
}

void connection::send(const sql& what, const parameters& values) {
  if (failed_)
    return;
  HF_ASSERT(prepared_.contains(what.name));
  const auto& all = values.values();
  HF_ASSERT(all.size() <= statement_parameters_max);
  std::array<const char*, statement_parameters_max> pointers{};
  std::array<int, statement_parameters_max> lengths{};
  for (std::size_t i = 0; i < all.size(); ++i) {
    pointers[i] = all[i] ? all[i]->c_str() : nullptr;
    lengths[i] = all[i] ? static_cast<int>(all[i]->size()) : 0;
  }
  queue(PQsendQueryPrepared(raw_.get(), what.name, static_cast<int>(all.size()),
                            pointers.data(), lengths.data(), all_binary.data(), 1));
}

void connection::send_flush() {
  if (!failed_)
    queue(PQsendFlushRequest(raw_.get()));
}

void connection::send_sync() {
  if (!failed_)
    queue(PQpipelineSync(raw_.get()));
}

bool connection::push(steady_time deadline) {
  if (!failed_ && !flush(deadline))
    failed_ = true;
  return !failed_;
}

expected<result> connection::receive(steady_time deadline) {
  if (failed_ || !flush(deadline))
    return fail("send");
  for (;;) {
    while (PQisBusy(raw_.get()) != 0) {
      if (!wait_socket(POLLIN, deadline))
        return fail("timed out");
      if (PQconsumeInput(raw_.get()) == 0)
        return fail("receive");
    }
    result one{PQgetResult(raw_.get())};
    if (PQstatus(raw_.get()) != CONNECTION_OK)
      return fail("receive");
    if (one.raw() != nullptr && says_read_only(one))
      return lose_primary();
    // A null ends each statement's results; every statement of ours has exactly one.
    if (one.raw() != nullptr)
      return one;
  }
}

// -- refusals ---------------------------------------------------------------------------------

bool blames_rows(std::string_view sqlstate) noexcept {
  return sqlstate.starts_with("22") || sqlstate.starts_with("23") || sqlstate.starts_with("P0")
         || sqlstate == "21000";
}

error to_error(const result& refusal) {
  const auto state = refusal.sqlstate();
  if (state == "23505")
    return make_error(errc::conflict, refusal.reason());
  if (blames_rows(state))
    return make_error(errc::rejected, refusal.reason());
  const bool ours =
    state.starts_with("42") || state.starts_with("26") || state.starts_with("0A");
  return make_error(ours ? errc::internal : errc::unavailable, refusal.reason());
}

} // namespace holdfast::storage
