#include "config/header_rules.hpp"

#include "catch.hpp"

using namespace doorward::config;

TEST_CASE("a header template is literal text and fields") {
  using part = header_template::part;
  struct row {
    char const* text;
    std::vector<part> parts;
  };
  for (auto const& [text, parts] :
       std::vector<row>{{"{userId}", {{"userId", true, false}}},
                        {"{role?}", {{"role", true, true}}},
                        {"user-{userId}!", {{"user-", false, false}, {"userId", true, false}, {"!", false, false}}},
                        {"{a}{b?}", {{"a", true, false}, {"b", true, true}}},
                        {"constant", {{"constant", false, false}}},
                        {"{{x}}", {{"{x}", false, false}}},
                        {"{{{x}}}", {{"{", false, false}, {"x", true, false}, {"}", false, false}}},
                        {"{sessionAttr:user.id}", {{"sessionAttr:user.id", true, false}}}}) {
    INFO(text);
    auto const got = parse_template(text);
    REQUIRE(std::holds_alternative<std::vector<part>>(got));
    auto const& made = *std::get_if<std::vector<part>>(&got);
    REQUIRE(made.size() == parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i) {
      CHECK(made[i].text == parts[i].text);
      CHECK(made[i].is_field == parts[i].is_field);
      CHECK(made[i].optional == parts[i].optional);
    }
    CHECK(template_text(made) == text);
  }
}

TEST_CASE("what is no header template, and where it goes wrong") {
  constexpr char field[] = "between `{` and `}` stands a session field's name";
  struct row {
    char const *text, *why;
    std::size_t offset;
  };
  for (auto const& [text, why, offset] :
       std::vector<row>{{"", "a header needs a value", 0},
                        {"a {b", "this `{` is not closed", 2},
                        {"a}b", "this `}` closes nothing", 1},
                        {"{a}}", "this `}` closes nothing", 3},
                        {"{}", field, 0},
                        {"{?}", field, 0},
                        {"x {a b}", field, 2},
                        {"{a?b}", field, 0},
                        {"{a??}", field, 0},
                        {"{a{b}", field, 0},
                        {" {a}", "a header's value has no blanks at its ends", 0},
                        {"{a} ", "a header's value has no blanks at its ends", 0},
                        {"a\nb", "a header's value is printable ASCII", 1},
                        {"a\tb", "a header's value is printable ASCII", 1},
                        {"gr\xC3\xBC\xC3\x9F", "a header's value is printable ASCII", 2}}) {
    INFO(text);
    auto const got = parse_template(text);
    REQUIRE(std::holds_alternative<complaint>(got));
    CHECK(std::get_if<complaint>(&got)->text == why);
    CHECK(std::get_if<complaint>(&got)->offset == offset);
  }
}

TEST_CASE("names that may be injected") {
  for (auto const* name : {"X-User-Id", "Remote-User", "Authorization", "x_user", "X-A.b~c"}) {
    INFO(name);
    CHECK_FALSE(check_header_name(name).has_value());
  }
}

TEST_CASE("names that may not be injected, in any spelling") {
  constexpr char connection[] = "this header belongs to the connection and cannot be injected";
  constexpr char own[] = "doorward sends this header itself";
  constexpr char reserved[] = "names that begin with `Doorward-` are doorward's own";
  constexpr char form[] = "not a header's name: letters, digits and `-`";
  struct row {
    std::string name, why;
  };
  for (auto const& [name, why] : std::vector<row>{{"", form},
                                                  {"X User", form},
                                                  {"X:User", form},
                                                  {"X-\xC3\xBC", form},
                                                  {std::string(129, 'x'), "a header's name is at most 128 bytes long"},
                                                  {"Host", connection},
                                                  {"CONNECTION", connection},
                                                  {"Content_Length", connection},
                                                  {"transfer-encoding", connection},
                                                  {"Cookie", connection},
                                                  {"Set-Cookie", connection},
                                                  {"Upgrade", connection},
                                                  {"TE", connection},
                                                  {"Trailer", connection},
                                                  {"Keep-Alive", connection},
                                                  {"Proxy-Authorization", connection},
                                                  {"Expect", connection},
                                                  {"X-Forwarded-For", own},
                                                  {"x_forwarded_proto", own},
                                                  {"Forwarded", own},
                                                  {"X-Request-Id", own},
                                                  {"traceparent", own},
                                                  {"Doorward-Grant", reserved},
                                                  {"doorward_x", reserved}}) {
    INFO(name);
    auto const got = check_header_name(name);
    REQUIRE(got.has_value());
    CHECK(got->text == why);
  }
}

TEST_CASE("tokens are those of RFC 9110") {
  CHECK(is_token("sid"));
  CHECK(is_token("__Host-sid"));
  CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
  for (auto const* text : {"", "a b", "a;b", "a=b", "a,b", "a\"b", "a/b", "a\x7f", "\xC3\xBC"}) {
    INFO(text);
    CHECK_FALSE(is_token(text));
  }
}
