// One connection to PostgreSQL: non-blocking, in pipeline mode, binary both ways. With
// connecting.hpp the only place that includes libpq.
//
// Not thread-safe: each connection belongs to one thread. Nothing here waits without a
// deadline. A connection that has failed stays failed; its owner opens another. One whose
// server refuses to be written to has failed too: a standby has been promoted elsewhere.
#pragma once

#include "storage/binary.hpp"
#include "storage/connecting.hpp"
#include "storage/wake_event.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

struct pg_result;

namespace holdfast::storage {

/// A prepared statement: a constant with a name that is unique in the project.
struct sql {
  const char* name;
  const char* text;
};

/// What one statement gave: rows, or the database's refusal.
class result {
public:
  result() = default;
  explicit result(pg_result* raw) noexcept : raw_(raw) {}

  [[nodiscard]] bool ok() const noexcept;
  [[nodiscard]] bool is_sync() const noexcept;
  /// True for statements that were skipped because one before them failed.
  [[nodiscard]] bool is_skipped() const noexcept;
  [[nodiscard]] int rows() const noexcept;
  /// Rows that an insert, update or delete has hit.
  [[nodiscard]] std::int64_t affected() const noexcept;

  /// Of a refusal: five characters, see PostgreSQL's appendix A.
  [[nodiscard]] std::string_view sqlstate() const noexcept;
  /// Of a refusal, for a log: the SQLSTATE and the constraint or the message's first line. The
  /// message's detail, which quotes rows, is left out.
  [[nodiscard]] std::string reason() const;

  [[nodiscard]] const pg_result* raw() const noexcept { return raw_.get(); }

private:
  struct clear {
    void operator()(pg_result* raw) const noexcept;
  };
  std::unique_ptr<pg_result, clear> raw_;
};

/// Reads a row's columns from left to right. The types are the SQL constant's, so a column of
/// another width is a bug and asserts; a value that can't be (an unknown currency) marks the
/// row.
class row {
public:
  row(const result& from, int index) noexcept : from_(from.raw()), index_(index) {}

  [[nodiscard]] bool boolean();
  [[nodiscard]] std::int16_t int2();
  [[nodiscard]] std::int32_t int4();
  [[nodiscard]] std::int64_t int8();
  [[nodiscard]] std::string text();
  [[nodiscard]] std::string_view bytes(); ///< valid while the result lives
  [[nodiscard]] uuid id();
  [[nodiscard]] timestamp time();
  [[nodiscard]] minor_units amount() { return minor_units{int8()}; }
  [[nodiscard]] currency unit(); ///< empty text reads as no currency
  [[nodiscard]] shard_number shard();

  template <class Id>
  [[nodiscard]] Id id_of() {
    return Id{id()};
  }

  template <class Enum>
  [[nodiscard]] Enum number() {
    return static_cast<Enum>(int2());
  }

  /// True when the next column is null; it is skipped then.
  [[nodiscard]] bool skip_null();

  template <class T, class Read>
  [[nodiscard]] std::optional<T> optional(Read read) {
    if (skip_null())
      return std::nullopt;
    return T{read(*this)};
  }
  [[nodiscard]] std::optional<timestamp> optional_time();
  [[nodiscard]] std::optional<std::int32_t> optional_int4();
  template <class Id>
  [[nodiscard]] std::optional<Id> optional_id() {
    if (skip_null())
      return std::nullopt;
    return Id{id()};
  }

  /// False when something read so far contradicts what the schema promises.
  [[nodiscard]] bool ok() const noexcept { return ok_; }

private:
  std::string_view column();

  const pg_result* from_;
  int index_;
  int next_ = 0;
  bool ok_ = true;
};

/// Shared by all connections to one database, and raised whenever its keeper's or its writer's
/// had to be made anew: the primary may be another server now, and a connection that still
/// hangs on the one before must not be used any more, alive as it may be.
using server_turns = std::atomic<std::uint64_t>;

/// Shared by all connections to one database: the highest timeline that any of them was on. A
/// server with a lower one has been replaced, and must be neither written to nor read.
using server_timeline = std::atomic<std::uint32_t>;

class connection {
public:
  /// Connects, and sets what every connection of ours has. `purpose` ends up in the
  /// application_name ("holdfast journal"); `settings` is further SQL, run once. Of several
  /// hosts the one that can be written to is taken, unless its timeline is below
  /// `timeline_min`; connecting.hpp says how, and what `unwanted` is.
  /// Errors: as `connect_to_any`.
  [[nodiscard]] static expected<std::unique_ptr<connection>> open(
    const std::string& url, std::string_view purpose, steady_time deadline,
    const char* settings = nullptr, std::uint32_t timeline_min = 0,
    const wake_event* unwanted = nullptr);

  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// The server's process of this connection: what pg_terminate_backend takes.
  [[nodiscard]] int backend_pid() const noexcept;
  /// That the server was on when we connected; 0 for a standby.
  [[nodiscard]] std::uint32_t timeline() const noexcept { return timeline_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Whether the server has said of late that it takes no writes: it tells so by itself, with
  /// the answer to whatever is asked of it.
  [[nodiscard]] bool is_read_only() const noexcept;

  // -- one statement, one round trip ----------------------------------------------------------

  /// Errors: unavailable (the connection has failed or timed out, now failed) and whatever
  /// `to_error` says of a refusal.
  [[nodiscard]] expected<result> query(const sql& what, const parameters& values,
                                       steady_time deadline);
  /// Several statements without parameters. Errors: as `query`.
  [[nodiscard]] expected<void> script(const std::string& sql, steady_time deadline);
  /// Makes the statements known to the server ahead of a pipeline. Errors: as `query`.
  [[nodiscard]] expected<void> prepare(const sql& what, steady_time deadline);

  // -- a pipeline -----------------------------------------------------------------------------

  /// Queues a prepared statement; asserts that it was prepared.
  void send(const sql& what, const parameters& values);
  /// Asks the server to answer what was queued so far, without ending the pipeline.
  void send_flush();
  /// Ends the pipeline; answers up to a result that `is_sync`.
  void send_sync();
  /// Hands everything queued to the operating system. False: the connection has failed, and how
  /// much of it the server will see is unknown.
  [[nodiscard]] bool push(steady_time deadline);
  /// The next statement's result. Errors: unavailable; the connection has failed then.
  [[nodiscard]] expected<result> receive(steady_time deadline);

private:
  explicit connection(server_connection to) noexcept
    : raw_(std::move(to.raw)),
      timeline_(to.timeline) {}

  [[nodiscard]] expected<result> receive_until_sync(steady_time deadline);
  [[nodiscard]] error fail(std::string_view what);
  [[nodiscard]] error lose_primary();
  [[nodiscard]] bool wait_socket(short events, steady_time deadline) const;
  [[nodiscard]] bool flush(steady_time deadline);
  void queue(int sent);

  connection_handle raw_;
  const std::uint32_t timeline_;
  std::unordered_set<std::string_view> prepared_;
  bool failed_ = false;
};

[[nodiscard]] inline bool is_outdated(const connection& db, const server_timeline& newest) {
  return db.timeline() != 0 && db.timeline() < newest;
}

/// The error that a refusal means to a caller: conflict (unique), rejected (other constraints
/// and data errors), unavailable (the server is going, or short of something), internal (our
/// SQL).
[[nodiscard]] error to_error(const result& refusal);

/// Whether the rows are to blame (a constraint, a value out of range, a trigger's refusal), so
/// that the same statement with other rows may succeed.
[[nodiscard]] bool blames_rows(std::string_view sqlstate) noexcept;

} // namespace holdfast::storage
