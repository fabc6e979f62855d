// Cookies that express-session really signed: tests/session/recorded/express_cookies.txt.
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/encoded_ids.hpp"

using namespace doorward;
using namespace doorward::http;

namespace {

struct cookies {
  std::vector<std::string> secrets;
  std::vector<std::pair<std::string, std::string>> signed_ids;  // id, value
};

cookies read() {
  cookies all;
  std::ifstream in(DOORWARD_SOURCE_DIR "/tests/session/recorded/express_cookies.txt");
  for (std::string line; std::getline(in, line);) {
    auto const tab = line.find('\t');
    auto first = line.substr(0, tab), second = line.substr(tab + 1);
    if (first == "secret")
      all.secrets.push_back(std::move(second));
    else
      all.signed_ids.emplace_back(std::move(first), std::move(second));
  }
  return all;
}

encoded_ids with(std::vector<std::string> const& secrets) {
  std::vector<redacted> const all(secrets.begin(), secrets.end());
  return {encoded_ids::codec::express, all};
}

// What is found in `value`; "-" for nothing.
std::string id_in(encoded_ids const& ids, std::string const& value) {
  std::string id;
  return ids.id_in(value, id) ? id : "-";
}

}  // namespace

TEST_CASE("cookies that express-session signed") {
  auto const [secrets, all] = read();
  REQUIRE(secrets.size() == 2);
  REQUIRE(all.size() == 3);
  auto const both = with(secrets), newest = with({secrets[0]}), oldest = with({secrets[1]});
  for (auto const& [id, value] : all)
    CHECK(id_in(both, value) == id);
  // Two were signed by the newest, the last by the one before.
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(id_in(newest, all[i].second) == all[i].first);
    CHECK(id_in(oldest, all[i].second) == "-");
    CHECK(newest.encode(all[i].first) == all[i].second);
  }
  CHECK(id_in(newest, all[2].second) == "-");
  CHECK(id_in(oldest, all[2].second) == all[2].first);
}

TEST_CASE("no byte of a cookie that express-session signed can be another") {
  auto const [secrets, all] = read();
  auto const ids = with(secrets);
  // The last letter of base64 has two bits that nobody reads.
  std::string const every = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.%~+/=: ";
  for (auto const& [id, value] : all)
    for (std::size_t i = 0; i < value.size(); ++i)
      for (char const c : every) {
        auto changed = value;
        changed[i] = c;
        auto const is_digit_of_escape = (i > 0 && value[i - 1] == '%') || (i > 1 && value[i - 2] == '%');
        if (is_digit_of_escape && iequals(changed, value)) continue;  // in either case it says the same
        if (changed != value) CHECK(id_in(ids, changed) == "-");
      }
}

TEST_CASE("signatures of two cookies cannot be exchanged") {
  auto const [secrets, all] = read();
  auto const ids = with(secrets);
  auto const dot = [](std::string const& v) { return v.find('.'); };
  auto const& [one, other] = std::pair(all[0].second, all[1].second);
  CHECK(id_in(ids, one.substr(0, dot(one)) + other.substr(dot(other))) == "-");
}
