// Sessions of other programs. The first byte says which encoding the rest is taken for; a hash of Spring Session's
// comes as names and values with 0x1f in between.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "doorward/base/utf8.hpp"
#include "doorward/session/foreign_reader.hpp"
#include "require.hpp"
#include "session/java_value.hpp"

using namespace doorward;
using namespace doorward::session;
using config::session_encoding;

namespace {

constexpr epoch_ms now = 1'700'000'000'000;

struct reading {
  explicit reading(session_encoding e) : reader(e) {}

  outcome operator()(redis::reply const& r) {
    auto const o = reader.read(r, into, now);
    require((o == outcome::found) == !into.user().empty(), "somebody is found, or nobody");
    for (std::size_t s = 0; s < layout.size(); ++s) {
      require(is_utf8(into.get(s)), "what is found is UTF-8");
      require(o == outcome::found || !into.has(s), "never a part of an identity");
    }
    require(o != outcome::unavailable && o != outcome::wrong_type, "Redis has answered");
    std::string const user(into.user());
    require(reader.read(r, into, now) == o && into.user() == user, "the same the second time");
    return o;
  }

  std::vector<std::string> const custom{"plan", "/user/id", "/user/roles", "/list/1", "/a~1b/~0"};
  field_layout layout{config::session_fields{}, custom};
  foreign_reader reader;
  record into{layout};
};

// Another reader of JSON has to find the same user.
void compare(std::string_view text, std::string_view user) {
  auto const document = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  require(document.is_object() && document.contains("userId"), "the document has a user");
  auto const& u = document["userId"];
  if (u.is_string()) require(u.get_ref<std::string const&>() == user, "it is the same user");
  if (u.is_number_integer() && user != "-0") require(u.dump() == user, "it is the same number");
  require(u.is_primitive() && !u.is_null(), "a user is a scalar");
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  auto const rest = text(data + 1, size - 1);
  redis::reply r;
  r.type = redis::reply::kind::string;
  r.text = rest;
  std::vector<std::string_view> items;
  switch (data[0] % 4) {
    case 0: {
      static reading json(session_encoding::json);
      if (json(r) == outcome::found) compare(rest, json.into.user());
      break;
    }
    case 1: {
      static reading php(session_encoding::php);
      (void)php(r);
      break;
    }
    case 2: {
      static reading spring(session_encoding::spring);
      for (std::size_t at = 0; at <= rest.size();) {
        auto const end = std::min(rest.find('\x1f', at), rest.size());
        items.push_back(rest.substr(at, end - at));
        at = end + 1;
      }
      r.type = redis::reply::kind::array;
      r.items = items;
      (void)spring(r);
      break;
    }
    default: {
      auto const value = read_java_value(rest);
      require(!value || (is_utf8(*value) && value->size() <= rest.size()), "a value is UTF-8, and no larger");
      (void)hint_for(session_encoding::json, outcome::malformed, likeness_of(rest));
    }
  }
  return 0;
}
