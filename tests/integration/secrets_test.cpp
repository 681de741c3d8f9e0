// Card numbers, security codes and API keys are sent in all the right and many wrong places;
// then everything that the node has written, kept or said is searched for them.
#include "tests/integration/dev_suite.hpp"
#include "tests/integration/expect.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

namespace holdfast {

namespace fs = std::filesystem;

using test::api_answer;
using test::dev_suite;
using test::expect_problem;
using test::payment_order;

namespace {

constexpr std::array test_cards{"4242424242424242", "4000000000000002", "4000000000009995",
                                "4000000000009987", "4000000000009979", "4000000000000069",
                                "4000000000000127", "4000000000000119", "4242424242424241",
                                "5555555555554444", "378282246310005"};

constexpr std::string_view cvc = "8642";

std::string to_hex(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string hex;
  for (const char c : text) {
    hex += digits[static_cast<unsigned char>(c) >> 4];
    hex += digits[static_cast<unsigned char>(c) & 15];
  }
  return hex;
}

std::string grouped(std::string_view card) {
  std::string text;
  for (std::size_t i = 0; i < card.size(); ++i)
    text.append(i > 0 && i % 4 == 0 ? " " : "").append(1, card[i]);
  return text;
}

std::string read_whole(const fs::path& path) {
  std::ifstream file{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{file}, {}};
}

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// Whether it stands there by itself: within a longer hexadecimal number, such as an event's
/// id, the same digits turn up by chance.
bool has_number(std::string_view text, std::string_view number) {
  for (auto at = text.find(number); at != std::string_view::npos;
       at = text.find(number, at + 1)) {
    const auto end = at + number.size();
    if ((at == 0 || !is_hex_digit(text[at - 1]))
        && (end == text.size() || !is_hex_digit(text[end])))
      return true;
  }
  return false;
}

/// What must not be found.
class needles {
public:
  explicit needles(std::string api_key) : api_key_(std::move(api_key)) {}

  void check_for_cards(const std::string& where, std::string_view text) const {
    for (const std::string card : test_cards) {
      BOOST_TEST(!has_number(text, card), where << " has " << card);
      for (const auto& spelling : {grouped(card), to_hex(card)})
        BOOST_TEST((text.find(spelling) == std::string_view::npos),
                   where << " has " << spelling);
    }
  }

  /// The code's digits alone would turn up by chance, in times and ids: as text it stands in
  /// quotes, in Protobuf behind its length.
  void check_for_cvc(const std::string& where, std::string_view text) const {
    const auto quoted = '"' + std::string{cvc} + '"';
    for (const auto& spelling : {quoted, to_hex(quoted), "04" + to_hex(cvc)})
      BOOST_TEST((text.find(spelling) == std::string_view::npos), where << " has the cvc");
  }

  void check_for_key(const std::string& where, std::string_view text) const {
    for (const auto& spelling : {api_key_, to_hex(api_key_)})
      BOOST_TEST((text.find(spelling) == std::string_view::npos), where << " has the API key");
  }

  void check(const std::string& where, std::string_view text) const {
    check_for_cards(where, text);
    check_for_cvc(where, text);
    check_for_key(where, text);
  }

private:
  std::string api_key_;
};

/// Sends what it is told to and looks at each answer.
class indiscreet_merchant {
public:
  indiscreet_merchant(dev_suite& suite, const needles& secrets)
    : suite_(suite),
      api_(suite.api()),
      secrets_(secrets) {}

  void pay(std::string_view card) {
    for (const std::int64_t amount : {1'000, 1'053}) {
      const auto answer = send(api_.make_post("/v1/payments", order(amount, card)));
      BOOST_TEST((answer.status == 201 || answer.status == 202 || answer.status == 402
                  || answer.text("/code") == "incorrect_number"),
                 answer.body);
    }
  }

  void put_into_wrong_fields(const std::string& card) {
    const auto text = "my card " + card;
    for (const auto& [further, param] :
         {std::pair{R"("reference":")" + card + '"', "reference"},
          {R"("description":")" + text + '"', "description"},
          {R"("description":")" + grouped(card) + '"', "description"},
          {R"("metadata":{"note":")" + text + "\"}", "metadata.note"},
          {R"("metadata":{")" + card + R"(":"x"})", "metadata"}}) {
      const auto answer =
        send(api_.make_post("/v1/payments", payment_order{.further = further}.body()));
      expect_problem(answer, 400, "card_data_in_text", param);
    }
    for (const auto& further : {R"("region":")" + card + '"', '"' + card + R"(":1)",
                                R"("metadata":{"number":)" + card + '}'})
      BOOST_TEST(
        send(api_.make_post("/v1/payments", payment_order{.further = further}.body())).status
        == 400);
    BOOST_TEST(send(api_.make_post("/v1/payments", payment_order{.token = card}.body())).status
               == 400);
    BOOST_TEST(send(api_.make_post("/v1/payments/" + payment_ + "/refunds",
                                   R"({"reason":")" + text + "\"}"))
                 .status
               == 400);
    const auto named = suite_.admin().post("/admin/v1/merchants",
                                           R"({"currency":"EUR","name":")" + text + "\"}");
    expect_problem(named, 400, "card_data_in_text", "name");
  }

  void put_into_broken_documents(const std::string& card) {
    const auto good = order(1'000, card);
    for (const auto& body :
         {good.substr(0, good.size() - 1), good + card, "{\"" + card, '"' + card + '"', card,
          R"({"amount":)" + card + '}', R"({"card":")" + card + R"(","cvc":"8642"})"})
      BOOST_TEST(send(api_.make_post("/v1/payments", body)).status == 400);
    auto text = api_.make_post("/v1/payments", good);
    text.headers.back().second = "text/" + card;
    BOOST_TEST(send(std::move(text)).status == 415);
  }

  void put_into_heads(const std::string& card) {
    BOOST_TEST(send(api_.make_get("/v1/payments/" + card)).status == 404);
    BOOST_TEST(send(api_.make_get("/" + card)).status == 404);
    BOOST_TEST(send(api_.make_get("/v1/payments?reference=" + card)).status == 200);
    BOOST_TEST(send(api_.make_get("/v1/payments?" + card + "=1")).status == 400);
    BOOST_TEST(send(api_.make_get("/v1/payments?starting_after=" + card)).status == 400);
    expect_problem(send(api_.make_post("/v1/payments", payment_order{}.body(), card)), 400,
                   "card_data_in_text", "Idempotency-Key");
    auto request = api_.make_get("/v1/balances");
    for (const auto* name : {"Request-Id", "traceparent", "User-Agent", "X-Card"})
      request.headers.emplace_back(name, card);
    BOOST_TEST(send(std::move(request)).status == 200);
    auto stranger = api_.make_get("/v1/balances");
    stranger.headers = {{"Authorization", "Bearer " + card}};
    BOOST_TEST(send(std::move(stranger)).status == 401);
  }

  void put_into_bad_framing(const std::string& card) {
    test::raw_connection connection{api_.port()};
    connection.send_what_goes("POST /v1/" + card + " HTTP/1.1\r\nHost: shop\r\n" + card
                              + ": x\r\nContent-Length: " + card
                              + "\r\nContent-Length: 1\r\n\r\n" + card);
    const auto answer = connection.read_answer();
    BOOST_TEST(answer.status == 400);
    secrets_.check("the answer to bad framing", answer.body);
  }

private:
  static std::string order(std::int64_t amount, std::string_view card) {
    auto body = payment_order{.amount = amount, .capture = "automatic", .card = card}.body();
    const std::string usual = R"("cvc":"123")";
    return body.replace(body.find(usual), usual.size(), R"("cvc":")" + std::string{cvc} + '"');
  }

  api_answer send(http::call request) {
    const auto what = request.method + " answered ";
    auto answer = api_.send(std::move(request));
    secrets_.check(what + std::to_string(answer.status), answer.body);
    for (const auto& [name, value] : answer.headers)
      secrets_.check(what + name, value);
    return answer;
  }

  dev_suite& suite_;
  test::api_client& api_;
  const needles& secrets_;
  std::string payment_ = test::make_payment(api_, {.capture = "automatic"});
};

void search_what_is_served(dev_suite& suite, const needles& secrets) {
  auto& api = suite.api();
  std::string target = "/v1/events?limit=100";
  for (auto page = api.get(target); page.has("/data/0");
       page = api.get(target + "&after=" + page.text("/next")))
    secrets.check("the event feed", page.body);
  for (const auto* list : {"/v1/payments?limit=100", "/v1/ledger/entries?limit=100"}) {
    const auto page = api.get(list);
    secrets.check(list, page.body);
  }
  const auto newest = api.get("/v1/payments").text("/data/0/id");
  secrets.check("a timeline", api.get("/v1/payments/" + newest + "/timeline").body);
  for (const auto* page : {"/metrics", "/admin/v1/merchants", "/admin/v1/keys",
                           "/admin/v1/statement", "/admin/v1/exceptions"})
    secrets.check(page, suite.admin().get(page).body);
}

/// The database as text; its bytea columns are hexadecimal there.
void search_database(const dev_suite& suite, const needles& secrets) {
  const test::temp_folder scratch;
  test::command dump;
  dump.program = dev_suite::postgres_program("pg_dump");
  dump.log = scratch.path() / "dump.log";
  const auto file = scratch.path() / "dump.sql";
  dump.arguments = {"--file=" + file.string(), "--dbname=" + suite.node().database()};
  const auto done = test::run(dump, milliseconds{30'000});
  BOOST_TEST_REQUIRE(done.succeeded, done.output);
  const auto text = read_whole(file);
  BOOST_TEST(text.find("COPY public.payment ") != std::string::npos);
  secrets.check("the database", text);
}

/// The sandbox's own folder is exempt, as a gateway's would be. The API key is where `dev`
/// keeps it for its user, and in what it prints for them.
void search_files(const fs::path& data, const needles& secrets) {
  std::size_t logs = 0;
  for (auto entry = fs::recursive_directory_iterator{data}; entry != fs::end(entry); ++entry) {
    const auto name = fs::relative(entry->path(), data).string();
    if (entry->is_directory() && name == "sandbox")
      entry.disable_recursion_pending();
    if (!entry->is_regular_file())
      continue;
    const auto content = read_whole(entry->path());
    const bool is_log = name.starts_with("logs/");
    logs += is_log && !content.empty() ? 1 : 0;
    secrets.check_for_cards(name, content);
    if (name != "credentials.json" && name != "dev.log")
      secrets.check_for_key(name, content);
    if (is_log)
      secrets.check_for_cvc(name, content);
  }
  BOOST_TEST(logs >= 2U);
}

} // namespace

BOOST_AUTO_TEST_SUITE(secrets, *boost::unit_test::fixture<dev_suite>())

BOOST_AUTO_TEST_CASE(are_nowhere_to_be_found) {
  auto& suite = dev_suite::here();
  const needles hidden{suite.node().api_key()};
  indiscreet_merchant merchant{suite, hidden};
  for (const auto* card : test_cards)
    merchant.pay(card);
  for (const auto* card : {"4242424242424242", "4000000000000002", "5555555555554444"}) {
    merchant.put_into_wrong_fields(card);
    merchant.put_into_broken_documents(card);
    merchant.put_into_heads(card);
    merchant.put_into_bad_framing(card);
  }
  search_what_is_served(suite, hidden);
  search_database(suite, hidden);
  suite.stop();
  search_files(suite.node().data(), hidden);
}

BOOST_AUTO_TEST_SUITE_END()

} // namespace holdfast
