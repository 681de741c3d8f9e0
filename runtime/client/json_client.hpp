// A blocking client of our own ports, for the command line: JSON in, JSON out, problems as
// errors.
#pragma once

#include "messages/expected.hpp"
#include "messages/time.hpp"

#include <boost/json/fwd.hpp>

#include <string>
#include <string_view>

namespace holdfast::http {
struct call_result;
}

namespace holdfast::client {

/// A page of what is not JSON.
struct text_page {
  std::string body;
  std::string next; ///< target of the page that follows (Link, rel="next"); empty: the last one
};

/// One server, one connection a call. Thread-safe. Errors of every call: unavailable (not
/// reached, 5xx, not JSON), unknown_outcome (sent, no answer), not_found (404), overloaded
/// (429, 503), invalid_argument (other 4xx), with the problem document's detail.
class json_client {
public:
  /// `url` is "http://host:port"; `bearer` an API key, empty for the admin port.
  explicit json_client(std::string url, std::string bearer = {});

  [[nodiscard]] expected<boost::json::value> get(std::string_view target,
                                                 milliseconds limit = milliseconds{
                                                   10'000}) const;
  [[nodiscard]] expected<boost::json::value> post(std::string_view target,
                                                  const boost::json::value& body,
                                                  milliseconds limit = milliseconds{
                                                    10'000}) const;
  /// The objects of a list that comes whole.
  [[nodiscard]] expected<boost::json::array> rows(std::string_view target) const;
  /// The objects of a list that comes in pages, all of them; at most about `rows_max`.
  [[nodiscard]] expected<boost::json::array> all_pages(std::string_view target,
                                                       std::size_t rows_max) const;
  /// The body as it came, for what is not JSON. Errors: as above.
  [[nodiscard]] expected<std::string> text(std::string_view target, milliseconds limit) const;
  [[nodiscard]] expected<text_page> page(std::string_view target, milliseconds limit) const;

  [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
  [[nodiscard]] expected<http::call_result> exchange(std::string_view method,
                                                     std::string_view target, std::string body,
                                                     milliseconds limit) const;

  std::string url_;
  std::string bearer_;
};

} // namespace holdfast::client
