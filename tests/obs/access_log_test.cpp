#include "doorward/obs/access_log.hpp"

#include <unistd.h>

#include <string>

#include "catch.hpp"
#include "heap_use.hpp"

using namespace doorward;
using namespace doorward::obs;

namespace {

access_record sample() {
  access_record r;
  r.time = 1'714'564'800'007;
  r.request_id = "0123456789abcdef0123456789abcdef";
  r.trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
  r.client = "203.0.113.9";
  r.method = "GET";
  r.host = "app.example.com";
  r.path = "/admin/users";
  r.route = "admin";
  r.user = "42";
  r.session = "deadbeef";
  r.decision = "forward";
  r.status = 200;
  r.bytes_in = 1;
  r.bytes_out = 18'446'744'073'709'551'615u;
  r.total_us = 1234;
  r.store_us = 200;
  r.upstream_us = 900;
  return r;
}

std::string line(access_style style, access_record const& r) {
  std::string out;
  access_formatter(style).append(out, r);
  return out;
}

}  // namespace

TEST_CASE("a line of the access log, as promised") {
  CHECK(line(access_style::json, sample()) ==
        R"({"time":"2024-05-01T12:00:00.007Z","request_id":"0123456789abcdef0123456789abcdef",)"
        R"("trace_id":"4bf92f3577b34da6a3ce929d0e0e4736","client":"203.0.113.9","method":"GET",)"
        R"("host":"app.example.com","path":"/admin/users","route":"admin","user":"42","session":"deadbeef",)"
        R"("decision":"forward","reason":"","status":200,"bytes_in":1,"bytes_out":18446744073709551615,)"
        R"("total_us":1234,"store_us":200,"upstream_us":900})"
        "\n");
}

TEST_CASE("text that JSON cannot carry as it is") {
  struct row {
    std::string text;
    std::string written;
  };
  auto const [text, written] = GENERATE(values<row>({
      {"say \"hi\"", R"(say \"hi\")"},
      {"\"", R"(\")"},
      {"eight..\\", R"(eight..\\)"},
      {"a\nb", R"(a\u000ab)"},
      {"seven..\x1f", R"(seven..\u001f)"},
      {"eight.. \x01", R"(eight.. \u0001)"},
      {std::string("nul\0", 4), R"(nul\u0000)"},
      {"J\xc3\xbcrgen", "J\xc3\xbcrgen"},
      {"not utf-8 \xff", R"(not utf-8 \ufffd)"},
      {"plain text that is longer than one word of eight", "plain text that is longer than one word of eight"},
  }));
  auto r = sample();
  r.user = text;
  auto const out = line(access_style::json, r);
  CAPTURE(out);
  CHECK(out.find("\"user\":\"" + written + "\",\"session\"") != std::string::npos);
  CHECK(out.find('\n') == out.size() - 1);
}

TEST_CASE("every byte at every place of a word is judged the same") {
  for (int c = 0; c < 256; ++c) {
    std::string expected;
    for (std::size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = static_cast<char>(c);
      auto r = sample();
      r.user = text;
      auto const out = line(access_style::json, r);
      auto const from = out.find("\"user\":\"") + 8;
      auto const written = out.substr(from, out.find("\",\"session\"", from) - from);
      auto const middle = written.substr(at, written.size() - 16);
      if (at == 0) expected = middle;
      CAPTURE(c, at);
      REQUIRE(middle == expected);
      REQUIRE(written.substr(0, at) == std::string(at, 'x'));
    }
    CHECK((expected.size() == 1) == ((c >= 0x20 && c < 0x80 && c != '"' && c != '\\')));
  }
}

TEST_CASE("the time is that of each record") {
  access_formatter f(access_style::json);
  auto const time_of = [&](epoch_ms at) {
    auto r = sample();
    r.time = at;
    std::string out;
    f.append(out, r);
    return out.substr(9, 24);
  };
  CHECK(time_of(0) == "1970-01-01T00:00:00.000Z");
  CHECK(time_of(1'709'164'799'999) == "2024-02-28T23:59:59.999Z");
  CHECK(time_of(1'709'164'800'000) == "2024-02-29T00:00:00.000Z");
  CHECK(time_of(1'709'164'800'120) == "2024-02-29T00:00:00.120Z");
  CHECK(time_of(1'709'164'799'001) == "2024-02-28T23:59:59.001Z");  // clocks are set back
}

TEST_CASE("a line for people has the status in colour and no control characters of others") {
  auto r = sample();
  CHECK(line(access_style::colour, r).find("\x1b[32m200\x1b[0m GET app.example.com/admin/users") != std::string::npos);
  CHECK(line(access_style::colour, r).starts_with("\x1b[2m12:00:00.007\x1b[0m "));
  r.status = 503;
  r.decision = "store_unavailable";
  r.reason = "store_timeout";
  auto const refused = line(access_style::colour, r);
  CHECK(refused.find("\x1b[31m503") != std::string::npos);
  CHECK(refused.find("store_timeout") != std::string::npos);

  auto const own_escapes = std::ranges::count(refused, '\x1b');
  r.host = "a\x1b[2Jb";
  r.path =
      "/\x7f\xc2\x9b"
      "2J\x9b\r\n";
  auto const hostile = line(access_style::colour, r);
  CHECK(std::ranges::count(hostile, '\x1b') == own_escapes);
  CHECK(hostile.find("/???2J\\ufffd\\u000d\\u000a") != std::string::npos);
  CHECK(hostile.find('\x7f') == std::string::npos);
  CHECK(hostile.find("\xc2\x9b") == std::string::npos);
  CHECK(std::ranges::count(hostile, '\n') == 1);
}

TEST_CASE("a line into a buffer that is large enough does not allocate") {
  auto const style = GENERATE(access_style::json, access_style::colour);
  access_formatter f(style);
  auto r = sample();
  r.user = "J\xc3\xbcrgen \"the\" user";
  std::string out;
  out.reserve(8192);
  auto const before = heap_use_so_far().taken;
  for (int i = 0; i < 10; ++i) {
    f.append(out, r);
    r.time += 400;
  }
  CHECK(heap_use_so_far().taken == before);
}

TEST_CASE("a worker hands lines over when told to, when it has many, and when it ends") {
  int fds[2];
  REQUIRE(pipe(fds) == 0);
  std::size_t lines = 0;
  {
    log_writer writer(fds[1]);
    {
      access_log log(writer, access_style::json);
      log.write(sample());
      log.flush();
      log.flush();
      char byte = 0;
      REQUIRE(read(fds[0], &byte, 1) == 1);  // without the end of anything
      for (int i = 0; i < 100; ++i)
        log.write(sample());  // more than one buffer
      lines = 101;
    }
    writer.stop();
    CHECK(writer.dropped() == 0);
  }
  close(fds[1]);
  std::string all(1, '{');
  char buffer[4096];
  for (ssize_t n = 0; (n = read(fds[0], buffer, sizeof buffer)) > 0;)
    all.append(buffer, static_cast<std::size_t>(n));
  close(fds[0]);
  CHECK(static_cast<std::size_t>(std::ranges::count(all, '\n')) == lines);
  CHECK(all.substr(0, all.find('\n') + 1) == line(access_style::json, sample()));
}
