#include "pipeline/cookie_ids.hpp"

#include "doorward/base/encoding.hpp"
#include "doorward/base/jws.hpp"
#include "exchange_fixture.hpp"
#include "temporary_folder.hpp"

using namespace doorward;
using namespace doorward::pipeline;

namespace {

std::string const secret(32, 's');

std::string encoded(std::string_view text) {
  return base64url({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

// An envelope around `id`; `salt` makes another one of it.
std::string envelope(std::string const& id, std::string const& salt = {}, std::string const& with = secret) {
  jws_fault fault{};
  auto const input = encoded(R"({"alg":"HS256"})") + '.' + encoded(R"({"sid":")" + id + R"(","x":")" + salt + R"("})");
  std::string signature;
  REQUIRE(jws_key::hs256(with, fault)->sign(input, signature));
  return input + '.' + encoded(signature);
}

struct enveloped {
  test::temporary_folder folder;
  exchange_fixture b{"session: { envelope: { algorithm: hs256, keys: [{ kid: a, key: " +
                         folder.write("secret", secret) + " }] } }\nroutes: [{ path: /**, upstream: app }]\n",
                     "redis: { url: \"redis://127.0.0.1:6379\" }\nidentity: { upstream: app, mode: external }\n"
                     "upstreams: { app: \"http://127.0.0.1:3000\" }\n"};

  // The ids that a request with these cookies has.
  std::vector<std::string> ids(std::vector<std::string> const& values) {
    std::vector<std::string> fields{"Host: h"};
    for (auto const& v : values)
      fields.push_back("Cookie: a=1; sid=" + v);
    REQUIRE(outcome(b.matched(head_of("GET / HTTP/1.1", fields))) == "ok");
    return {b.x.cookies.ids.begin(), b.x.cookies.ids.begin() + static_cast<std::ptrdiff_t>(b.x.cookies.count)};
  }
  std::string refused() {
    running<result<void>> done(authenticate(b.x));
    test::settle(b.worker.context);
    REQUIRE(done.ended);
    return outcome(*done.ended);
  }
};

using ids = std::vector<std::string>;
std::string const one(20, 'a');
std::string const two(20, 'b');

}  // namespace

TEST_CASE("envelopes are opened where the cookies are found") {
  enveloped t;
  CHECK(t.ids({envelope(one)}) == ids{one});
  CHECK(t.refused() == "store_unavailable");  // somebody asked
  CHECK(t.ids({'"' + envelope(one) + '"'}) == ids{one});
  CHECK(t.ids({envelope(one), envelope(two)}) == ids{one, two});
  CHECK(t.ids({envelope(one), envelope(one, "again")}) == ids{one});
  CHECK(t.ids({envelope(one, "", std::string(32, 't')), envelope(two)}) == ids{two});
  CHECK(t.ids({envelope(std::string(256, 'c'))}) == ids{std::string(256, 'c')});
}

TEST_CASE("what is no envelope is forged, a bare id too") {
  enveloped t;
  for (auto const& value : ids{one, envelope(one, "", std::string(32, 't')), envelope("short"), envelope(one) + 'x',
                               envelope(one, std::string(5000, 'x')), "x", ""}) {
    CAPTURE(value);
    CHECK(t.ids({value}).empty());
    CHECK(t.refused() == "session_forged");
    CHECK_FALSE(t.b.x.expire_cookie);
  }
  CHECK(t.ids({}).empty());
  CHECK(t.refused() == "no_session");
}

TEST_CASE("without envelopes ids come bare, and no longer than they may be") {
  exchange_fixture b;
  REQUIRE(outcome(b.matched(
              head_of("GET / HTTP/1.1", {"Host: h", "Cookie: sid=" + envelope(one, std::string(300, 'x'))}))) == "ok");
  CHECK(b.x.cookies.count == 0);
  CHECK(b.x.cookies.present);
}
