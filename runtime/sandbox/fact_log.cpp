#include "runtime/sandbox/fact_log.hpp"

#include "messages/limits.hpp"
#include "messages/thread_name.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace holdfast::sandbox {

namespace {

constexpr std::int64_t facts_an_offset = 256;
constexpr std::size_t block_bytes = 256 * 1024;

error failed(const char* what) {
  return make_error(errc::unavailable, std::string{"the sandbox's facts: "} + what + ": "
                                         + std::generic_category().message(errno));
}

} // namespace

expected<std::unique_ptr<fact_log>> fact_log::open(
  const std::string& path, const std::function<expected<void>(const fact&)>& each) {
  std::unique_ptr<fact_log> log{new fact_log};
  auto loaded = log->load(path, each);
  if (!loaded)
    return loaded.error();
  log->syncer_ = std::thread{[raw = log.get()] { raw->sync_in_background(); }};
  return log;
}

fact_log::~fact_log() {
  {
    const std::lock_guard lock{mutex_};
    is_closing_ = true;
  }
  wake_.notify_all();
  if (syncer_.joinable())
    syncer_.join();
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

expected<void> fact_log::load(const std::string& path,
                              const std::function<expected<void>(const fact&)>& each) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor_ < 0)
    return failed("can't open them");
  // The lock goes with the process, so that one that was killed leaves none behind.
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0)
    return failed("another sandbox uses them");
  stored_fact reader;
  std::string pending;
  std::vector<char> block(block_bytes);
  while (true) {
    const auto got = ::read(descriptor_, block.data(), block.size());
    if (got < 0)
      return failed("can't read them");
    if (got == 0)
      break;
    pending.append(block.data(), static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (auto end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', begin)) {
      auto loaded =
        load_line(std::string_view{pending}.substr(begin, end - begin), reader, each);
      if (!loaded)
        return loaded.error();
      begin = end + 1;
    }
    pending.erase(0, begin);
  }
  // A last line without its end was being written when the process died; nobody was told of it.
  if (!pending.empty() && ::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
    return failed("can't cut off a torn line");
  return {};
}

expected<void> fact_log::load_line(std::string_view line, stored_fact& reader,
                                   const std::function<expected<void>(const fact&)>& each) {
  const auto where = " (line " + std::to_string(next_seq_) + " of the sandbox's facts)";
  const auto entry = reader.parse(line);
  if (!entry)
    return make_error(entry.error().code, entry.error().detail + where);
  if ((*entry)->seq != next_seq_)
    return make_error(errc::corrupt, "a fact's number is out of order" + where);
  auto told = each(**entry);
  if (!told)
    return make_error(told.error().code, told.error().detail + where);
  last_at_ = std::max(last_at_, (*entry)->at);
  ++next_seq_;
  note_line(line.size() + 1);
  return {};
}

void fact_log::note_line(std::size_t size) {
  if ((written_seq_ - 1) % facts_an_offset == 0)
    offsets_.push_back(size_);
  ++written_seq_;
  size_ += size;
}

void fact_log::stage(fact& entry, timestamp now) {
  last_at_ = std::max(last_at_, now);
  entry.seq = next_seq_++;
  entry.at = last_at_;
  const auto before = staged_.size();
  append_line(entry, staged_);
  staged_sizes_.push_back(staged_.size() - before);
}

expected<void> fact_log::commit() {
  std::size_t written = 0;
  while (written < staged_.size()) {
    const auto size = ::pwrite(descriptor_, staged_.data() + written, staged_.size() - written,
                               static_cast<off_t>(size_ + written));
    if (size < 0 && errno == EINTR)
      continue;
    if (size <= 0) {
      auto failure = failed("can't write them");
      next_seq_ = written_seq_;
      staged_.clear();
      staged_sizes_.clear();
      // What was written in part must not be taken for facts after a restart.
      if (::ftruncate(descriptor_, static_cast<off_t>(size_)) != 0)
        spdlog::error("sandbox: {}", failed("can't take back half a write").detail);
      return failure;
    }
    written += static_cast<std::size_t>(size);
  }
  for (const auto size : staged_sizes_)
    note_line(size);
  staged_.clear();
  staged_sizes_.clear();
  is_dirty_.store(true, std::memory_order_relaxed);
  return {};
}

expected<std::string> fact_log::read(std::int64_t after, std::size_t limit) const {
  std::string lines;
  after = std::max<std::int64_t>(after, 0);
  if (after >= written_seq_ - 1 || limit == 0)
    return lines;
  const auto slot = after / facts_an_offset;
  auto offset = offsets_[static_cast<std::size_t>(slot)];
  auto to_skip = after - slot * facts_an_offset;
  std::vector<char> block(block_bytes);
  while (offset < size_) {
    const auto wanted = std::min<std::uint64_t>(block.size(), size_ - offset);
    const auto got = ::pread(descriptor_, block.data(), wanted, static_cast<off_t>(offset));
    if (got <= 0)
      return failed("can't read them");
    offset += static_cast<std::uint64_t>(got);
    std::string_view rest{block.data(), static_cast<std::size_t>(got)};
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      const bool is_whole = end != std::string_view::npos;
      const auto piece = rest.substr(0, is_whole ? end + 1 : rest.size());
      rest.remove_prefix(piece.size());
      if (to_skip == 0)
        lines.append(piece);
      if (!is_whole)
        continue;
      if (to_skip > 0)
        --to_skip;
      else if (--limit == 0)
        return lines;
    }
  }
  return lines;
}

void fact_log::sync_in_background() {
  name_this_thread("facts");
  std::unique_lock lock{mutex_};
  while (!is_closing_) {
    wake_.wait_for(lock, milliseconds{limits::sandbox_sync_ms});
    if (!is_dirty_.exchange(false))
      continue;
    lock.unlock();
    if (::fdatasync(descriptor_) != 0)
      spdlog::error("sandbox: {}", failed("can't sync them").detail);
    lock.lock();
  }
}

} // namespace holdfast::sandbox
