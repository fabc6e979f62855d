#include "doorward/obs/log.hpp"

#include <cstdio>
#include <limits>
#include <memory>
#include <string>

#include "catch.hpp"

using namespace doorward;
namespace applog = doorward::obs::log;
using namespace std::chrono_literals;

namespace {

std::string as_json(applog::fields f, std::uint64_t held_back = 0) {
  std::string out;
  applog::append_json(out, 1'714'564'800'007, applog::level::info, "listening", f, held_back);
  return out;
}

std::string as_text(applog::fields f, std::uint64_t held_back = 0) {
  std::string out;
  applog::append_text(out, "listening", f, held_back);
  return out;
}

// The log goes to a file for as long as this lives.
class captured {
public:
  explicit captured(applog::level least, applog::format how) : file_(std::tmpfile()) {
    applog::init(least, how, file_);
  }
  captured(captured const&) = delete;
  captured& operator=(captured const&) = delete;
  ~captured() {
    applog::init(applog::level::info, applog::format::automatic);
    std::fclose(file_);
  }
  std::string text() {
    std::rewind(file_);
    std::string all;
    for (int c = 0; (c = std::fgetc(file_)) != EOF;)
      all += static_cast<char>(c);
    return all;
  }

private:
  std::FILE* file_;
};

}  // namespace

TEST_CASE("an entry as JSON") {
  std::string const address = "127.0.0.1:34567";
  CHECK(as_json({}) == R"({"time":"2024-05-01T12:00:00.007Z","level":"info","event":"listening"})");
  CHECK(as_json({{"role", "http"}, {"address", address}}) ==
        R"({"time":"2024-05-01T12:00:00.007Z","level":"info","event":"listening",)"
        R"("role":"http","address":"127.0.0.1:34567"})");
  CHECK(as_json({{"n", -3}, {"u", 7u}, {"b", true}, {"d", 0.5}}).ends_with(R"("n":-3,"u":7,"b":true,"d":0.5})"));
  CHECK(as_json({{"d", std::numeric_limits<double>::infinity()}}).ends_with(R"("d":null})"));
  CHECK(as_json({{"t", "a \"b\"\n\xff"}}).ends_with(R"("t":"a \"b\"\u000a\ufffd"})"));
  CHECK(as_json({{"t", std::string_view("x")}}, 12).ends_with(R"("t":"x","held_back":12})"));
}

TEST_CASE("an entry as text") {
  CHECK(as_text({}) == "listening");
  CHECK(as_text({{"address", "127.0.0.1:1"}, {"n", 3}}) == "listening address=127.0.0.1:1 n=3");
  CHECK(as_text({{"t", "two words"}}) == "listening t=\"two words\"");
  CHECK(as_text({{"t", ""}}) == "listening t=\"\"");
  CHECK(as_text({{"t", "a=b"}}) == "listening t=\"a=b\"");
  CHECK(as_text({{"t", "\x1b[2J\x7f\xc2\x9b"}}) == "listening t=\"\\u001b[2J???\"");
  CHECK(as_text({{"ok", false}}, 2) == "listening ok=false held_back=2");
}

TEST_CASE("entries are written as lines, from the level asked for on") {
  captured out(applog::level::info, applog::format::automatic);
  CHECK(applog::enabled(applog::level::info));
  CHECK_FALSE(applog::enabled(applog::level::debug));
  applog::debug("hidden");
  applog::info("listening", {{"role", "http"}});
  applog::error("failed");
  auto const text = out.text();
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.starts_with("{\"time\":\""));
  CHECK(text.find("\"event\":\"listening\",\"role\":\"http\"}\n{") != std::string::npos);
  CHECK(text.ends_with("\"level\":\"error\",\"event\":\"failed\"}\n"));
}

TEST_CASE("text into a file has no colours") {
  captured out(applog::level::debug, applog::format::text);
  applog::warn("redis_down", {{"why", "refused"}});
  auto const text = out.text();
  CHECK(text.ends_with(" warning redis_down why=refused\n"));
  CHECK(text.find('\x1b') == std::string::npos);
}

TEST_CASE("level off writes nothing") {
  captured out(applog::level::off, applog::format::json);
  applog::error("failed");
  CHECK(out.text().empty());
}

TEST_CASE("an event that goes on and on is written every ten seconds, with the number held back") {
  captured out(applog::level::info, applog::format::json);
  applog::limiter limit;
  time_point const begin{};
  for (int i = 0; i < 100; ++i)
    limit.write(begin + i * 100ms, applog::level::warn, "redis_down", {{"i", i}});
  limit.write(begin + 1s, applog::level::warn, "something_else");
  limit.write(begin + 10s, applog::level::warn, "redis_down", {{"i", 100}});
  limit.write(begin + 20s, applog::level::warn, "redis_down", {{"i", 101}});
  auto const text = out.text();
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK(text.find("\"i\":0}\n") != std::string::npos);
  CHECK(text.find("\"i\":100,\"held_back\":99}\n") != std::string::npos);
  CHECK(text.find("\"i\":101}\n") != std::string::npos);
  CHECK(text.find("something_else") != std::string::npos);
}

TEST_CASE("the limiter remembers a bounded number of events") {
  applog::limiter limit;
  time_point now{};
  for (int i = 0; i < 1000; ++i) {
    CHECK(limit.pass("event" + std::to_string(i), now));
    now += 1ms;
  }
  CHECK_FALSE(limit.pass("event999", now));
  CHECK(limit.pass("event0", now));  // made room long ago
}
