#include "doorward/base/redacted.hpp"

#include <fmt/format.h>

#include <ostream>

#include "catch.hpp"

namespace {

using doorward::redacted;

template <class T>
concept printable = requires(std::ostream& out, T const& value) {
  out << value;
};

static_assert(printable<std::string>);
static_assert(!printable<redacted>, "a secret must not reach a stream");
static_assert(!fmt::is_formattable<redacted>::value, "a secret must not reach a log line");

TEST_CASE("redacted, says its value only when asked") {
  redacted const none;
  redacted const secret("hunter2");
  CHECK(none.empty());
  CHECK_FALSE(secret.empty());
  CHECK(secret.reveal() == "hunter2");
  bool const same = secret == redacted("hunter2");
  CHECK(same);
}

}  // namespace
