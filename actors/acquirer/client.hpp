// What an acquirer's actor needs of the wire.
#pragma once

#include "messages/time.hpp"
#include "storage/settlement.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace holdfast::acquirers {

enum class acquirer_verb : std::uint8_t { submit_file, fetch_results, fetch_report };

struct acquirer_request {
  acquirer_verb verb = acquirer_verb::submit_file;
  std::string file;    ///< the file's id as text: the acquirer's idempotency token
  std::string content; ///< of submit_file
  std::string sha256;  ///< of the content, lower-case hex
};

enum class acquirer_verdict : std::uint8_t {
  done,    ///< Accepted, or `body` is what was asked for.
  refused, ///< Definitive: the file is not acceptable; `body` says why.
  pending, ///< Known there, but not ready yet.
  unknown, ///< No definitive answer; repeating is safe.
};

struct acquirer_answer {
  acquirer_verdict verdict = acquirer_verdict::unknown;
  std::string body;                          ///< raw, as it is kept for audit
  std::vector<storage::item_result> results; ///< of fetch_results, when done
};

/// Thread-safe. `done` runs exactly once, on any thread.
class client {
public:
  virtual ~client() = default;
  virtual void send(acquirer_request request, milliseconds timeout,
                    std::function<void(acquirer_answer)> done) = 0;
};

} // namespace holdfast::acquirers
