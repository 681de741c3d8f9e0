#include "storage/connecting.hpp"

#include "messages/limits.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <vector>

#include <poll.h>

namespace holdfast::storage {

void close_connection::operator()(pg_conn* raw) const noexcept {
  PQfinish(raw);
}

namespace {

constexpr const char* default_port = "5432";

/// Null while the server is a standby, whose timeline is its primary's.
constexpr const char* ask_timeline =
  "select case when not pg_is_in_recovery()"
  " then substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) end";

/// One of the hosts that a URL names. All empty: what libpq makes of the URL, whole.
struct host_choice {
  std::string host;
  std::string address;
  std::string port;
};

std::vector<std::string> split(const char* list) {
  std::vector<std::string> parts;
  if (list == nullptr || *list == '\0')
    return parts;
  std::string_view rest{list};
  for (;;) {
    const auto comma = rest.find(',');
    parts.emplace_back(rest.substr(0, comma));
    if (comma == std::string_view::npos)
      return parts;
    rest.remove_prefix(comma + 1);
  }
}

error bad_url(std::string detail) {
  return make_error(errc::invalid_argument, "the database's URL: " + std::move(detail));
}

/// The element of a list that has one for each host, or one for all, or none.
expected<std::string> element(const std::vector<std::string>& list, std::size_t host,
                              std::size_t hosts, std::string_view name) {
  if (list.empty())
    return std::string{};
  if (list.size() != 1 && list.size() != hosts)
    return bad_url(std::string{name} + ": expected one for each host");
  auto chosen = list.size() == 1 ? list.front() : list[host];
  // libpq would take the whole list for it.
  if (chosen.empty())
    return bad_url(std::string{name} + ": none of several may be empty");
  return chosen;
}

expected<std::vector<host_choice>> read_hosts(const std::string& url) {
  char* complaint = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
    PQconninfoParse(url.c_str(), &complaint), &PQconninfoFree};
  const std::unique_ptr<char, decltype(&PQfreemem)> complaint_owner{complaint, &PQfreemem};
  if (options == nullptr) // The complaint may quote what it stumbles over: a password.
    return bad_url("libpq does not understand it");
  std::vector<std::string> hosts;
  std::vector<std::string> addresses;
  std::vector<std::string> ports;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword{option->keyword};
    if (keyword == "host")
      hosts = split(option->val);
    else if (keyword == "hostaddr")
      addresses = split(option->val);
    else if (keyword == "port")
      ports = split(option->val);
  }
  // `a,b` and `a:5432,b` name two hosts, and their ports are "," and "5432,".
  std::ranges::replace(ports, std::string{}, std::string{default_port});
  const auto count = std::max(hosts.size(), addresses.size());
  if (count <= 1)
    return std::vector<host_choice>(1);
  if (count > limits::database_hosts_max)
    return bad_url("it names more than " + std::to_string(limits::database_hosts_max)
                   + " hosts");
  std::vector<host_choice> choices;
  for (std::size_t i = 0; i < count; ++i) {
    auto host = element(hosts, i, count, "host");
    auto address = element(addresses, i, count, "hostaddr");
    auto port = element(ports, i, count, "port");
    for (const auto* part : {&host, &address, &port})
      if (!*part)
        return part->error();
    choices.push_back({std::move(*host), std::move(*address), std::move(*port)});
  }
  return choices;
}

/// The number before the name of each of a server's WAL files, in hexadecimal.
std::uint32_t read_timeline(const pg_result* answer) {
  if (PQntuples(answer) != 1 || PQgetisnull(answer, 0, 0) != 0)
    return 0;
  return static_cast<std::uint32_t>(std::strtoul(PQgetvalue(answer, 0, 0), nullptr, 16));
}

std::string outdated_server(std::string_view host, std::uint32_t timeline,
                            std::uint32_t newest) {
  return "the server at \"" + std::string{host} + "\" is on timeline "
         + std::to_string(timeline) + ", and the database was on timeline "
         + std::to_string(newest)
         + " already: another server was promoted in its place; stop this one, or make it a "
           "standby";
}

/// The attempts under way, all driven by one thread.
class host_race {
public:
  host_race(const std::string& url, const std::string& application,
            std::vector<host_choice> hosts, std::uint32_t timeline_min, steady_time deadline,
            const wake_event* unwanted)
    : url_(url),
      application_(application),
      hosts_(std::move(hosts)),
      timeline_min_(timeline_min),
      deadline_(deadline),
      unwanted_(unwanted) {}

  expected<server_connection> run() {
    for (;;) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= deadline_)
        return failure("timed out");
      if (unwanted_ != nullptr && unwanted_->is_signalled())
        return failure("it is not wanted any more");
      if (started_ < hosts_.size() && now >= next_start_)
        start(hosts_[started_++], now);
      else if (runners_.empty() && started_ == hosts_.size())
        return failure({});
      else
        wait();
      if (auto winner = advance())
        return std::move(*winner);
    }
  }

private:
  struct runner {
    connection_handle raw;
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    bool is_ready = false; ///< its socket is, for what it waits for
    bool is_asked = false; ///< connected, and to say how new it is
  };

  void start(const host_choice& where, steady_time now) {
    // The URL is expanded as "dbname"; what precedes it is a default, what follows overrides or
    // completes it. Empty values count as absent.
    const std::array<const char*, 9> keywords{"target_session_attrs",
                                              "dbname",
                                              "application_name",
                                              "client_encoding",
                                              "keepalives_idle",
                                              "host",
                                              "hostaddr",
                                              "port",
                                              nullptr};
    const std::array<const char*, 9> values{
      "read-write",       url_.c_str(),          application_.c_str(), "UTF8", "5",
      where.host.c_str(), where.address.c_str(), where.port.c_str(),   nullptr};
    next_start_ = now + limits::connect_head_start;
    runner one{connection_handle{PQconnectStartParams(keywords.data(), values.data(), 1)}};
    if (one.raw == nullptr)
      return fail("out of memory");
    if (PQstatus(one.raw.get()) == CONNECTION_BAD)
      return fail(PQerrorMessage(one.raw.get()));
    runners_.push_back(std::move(one));
  }

  /// Until a runner can go on, the next host's turn, nobody wants it, or the deadline.
  void wait() {
    std::vector<pollfd> sockets;
    for (const auto& one : runners_) {
      const short events = one.next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
      sockets.push_back({PQsocket(one.raw.get()), events, 0});
    }
    if (unwanted_ != nullptr)
      sockets.push_back({unwanted_->descriptor(), POLLIN, 0});
    const auto until = started_ < hosts_.size() ? std::min(next_start_, deadline_) : deadline_;
    if (poll(sockets.data(), sockets.size(), poll_timeout(until)) <= 0)
      return;
    for (std::size_t i = 0; i < runners_.size(); ++i)
      runners_[i].is_ready = sockets[i].revents != 0;
  }

  /// The first that has arrived, if any.
  std::optional<server_connection> advance() {
    for (auto& one : runners_) {
      if (!std::exchange(one.is_ready, false))
        continue;
      if (one.is_asked) {
        if (auto winner = hear(one))
          return winner;
        continue;
      }
      one.next = PQconnectPoll(one.raw.get());
      if (one.next == PGRES_POLLING_OK)
        ask(one);
      else if (one.next == PGRES_POLLING_FAILED)
        fail(PQerrorMessage(one.raw.get()));
    }
    std::erase_if(runners_, [](const runner& one) { return one.next == PGRES_POLLING_FAILED; });
    return std::nullopt;
  }

  /// The question is short enough to be sent at once.
  void ask(runner& one) {
    one.is_asked = PQsendQuery(one.raw.get(), ask_timeline) == 1;
    if (one.is_asked)
      one.next = PGRES_POLLING_READING;
    else
      drop(one, PQerrorMessage(one.raw.get()));
  }

  /// None as long as it has not said all, and if it isn't the right one.
  std::optional<server_connection> hear(runner& one) {
    auto* raw = one.raw.get();
    if (PQconsumeInput(raw) == 0) {
      drop(one, PQerrorMessage(raw));
      return std::nullopt;
    }
    std::uint32_t timeline = 0;
    while (PQisBusy(raw) == 0) {
      const std::unique_ptr<pg_result, decltype(&PQclear)> answer{PQgetResult(raw), &PQclear};
      if (answer == nullptr)
        return admit(one, timeline);
      if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK) {
        drop(one, PQresultErrorMessage(answer.get()));
        return std::nullopt;
      }
      timeline = read_timeline(answer.get());
    }
    return std::nullopt;
  }

  /// A primary that came back after its standby had been promoted takes writes as well.
  std::optional<server_connection> admit(runner& one, std::uint32_t timeline) {
    if (timeline == 0 || timeline >= timeline_min_)
      return server_connection{std::move(one.raw), timeline};
    drop(one, outdated_server(PQhost(one.raw.get()), timeline, timeline_min_));
    return std::nullopt;
  }

  void drop(runner& one, std::string_view reason) {
    one.next = PGRES_POLLING_FAILED;
    fail(reason);
  }

  /// The next host need not wait for one that has failed.
  void fail(std::string_view message) {
    next_start_ = {};
    if (!failures_.empty())
      failures_ += "; ";
    failures_ += message.substr(0, message.find('\n'));
  }

  [[nodiscard]] error failure(std::string_view reason) const {
    auto text = "connect: " + failures_;
    if (!reason.empty())
      text += (failures_.empty() ? "" : "; ") + std::string{reason};
    return make_error(errc::unavailable, std::move(text));
  }

  const std::string& url_;
  const std::string& application_;
  const std::vector<host_choice> hosts_;
  const std::uint32_t timeline_min_;
  const steady_time deadline_;
  const wake_event* const unwanted_;
  std::size_t started_ = 0;
  steady_time next_start_{};
  std::vector<runner> runners_;
  std::string failures_;
};

} // namespace

expected<server_connection> connect_to_any(const std::string& url,
                                           const std::string& application,
                                           std::uint32_t timeline_min, steady_time deadline,
                                           const wake_event* unwanted) {
  auto hosts = read_hosts(url);
  if (!hosts)
    return hosts.error();
  return host_race{url, application, std::move(*hosts), timeline_min, deadline, unwanted}.run();
}

} // namespace holdfast::storage
