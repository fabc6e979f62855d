#include "doorward/http/cookies.hpp"
#include "doorward/http/head.hpp"
#include "doorward/http/target.hpp"
#include "measure.hpp"

namespace doorward::bench {
namespace {

void parse(benchmark::State& state, std::string const& bytes) {
  http::head_limits const limits;
  http::request_head head;
  measure(state, bytes.size(), [&] {
    std::size_t from = 0;
    auto end = http::find_head_end(bytes, from, limits);
    auto parsed = http::parse_request_head(bytes, limits, head);
    benchmark::DoNotOptimize(end);
    benchmark::DoNotOptimize(parsed);
  });
}
BENCHMARK_CAPTURE(parse, small_head, small_head)->Name("head parsing, small");
BENCHMARK_CAPTURE(parse, browser_head, browser_head)->Name("head parsing, browser");

void parse_answer(benchmark::State& state) {
  std::string const bytes =
      "HTTP/1.1 200 OK\r\nServer: app\r\nDate: Wed, 01 May 2024 12:00:00 GMT\r\nContent-Type: text/html\r\n"
      "Content-Length: 10240\r\nConnection: keep-alive\r\nETag: \"abc\"\r\n\r\n";
  http::head_limits const limits;
  http::response_head head;
  measure(state, bytes.size(), [&] {
    auto parsed = http::parse_response_head(bytes, limits, http::method::get, head);
    benchmark::DoNotOptimize(parsed);
  });
}
BENCHMARK(parse_answer)->Name("head parsing, answer");

void scan_cookies(benchmark::State& state, std::string const& field) {
  measure(state, field.size(), [&] {
    http::session_cookies found;
    http::find_session_cookies(field, "sid", {}, found);
    benchmark::DoNotOptimize(found);
  });
}
BENCHMARK_CAPTURE(scan_cookies, one, "sid=" + session_id)->Name("cookie scan, one cookie");
BENCHMARK_CAPTURE(scan_cookies, five,
                  "theme=dark; _ga=GA1.2.1234567890.1234567890; sid=" + session_id + "; a=b; lang=en")
    ->Name("cookie scan, five cookies");

void canonicalise(benchmark::State& state, std::string const& path) {
  std::string scratch;
  measure(state, path.size(), [&] {
    auto made = http::canonicalise(path, scratch);
    benchmark::DoNotOptimize(made);
  });
}
BENCHMARK_CAPTURE(canonicalise, plain, std::string("/a/page/with/some/depth"))->Name("path, plain");
BENCHMARK_CAPTURE(canonicalise, escaped, std::string("/a/p%61ge/../with%20blank"))->Name("path, escaped");

}  // namespace
}  // namespace doorward::bench
