#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <string>

#include "heap_use.hpp"

namespace doorward::bench {

/// Runs `once` as often as Google Benchmark wants. Beside the time it says how many bytes of input a call takes and how
/// often a call takes memory from the heap, the first one left out: that one fills the buffers that are used again.
template <class F>
void measure(benchmark::State& state, std::size_t bytes, F once) {
  once();
  auto const before = heap_use_so_far().taken;
  for (auto _ : state)
    once();
  auto const taken = heap_use_so_far().taken - before;
  state.counters["bytes"] = static_cast<double>(bytes);
  state.counters["allocations"] = benchmark::Counter(static_cast<double>(taken), benchmark::Counter::kAvgIterations);
}

inline std::string const session_id = "0123456789abcdef0123456789abcdef0123456789a";

/// The head of a small program's request, and of a browser's.
inline std::string const small_head =
    "GET /a/page?q=1 HTTP/1.1\r\nHost: app.example.com\r\nCookie: sid=" + session_id + "\r\n\r\n";
inline std::string const browser_head =
    "GET /a/page?q=1 HTTP/1.1\r\nHost: app.example.com\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) "
    "Gecko/20100101 Firefox/115.0\r\nAccept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,"
    "image/webp,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "Referer: https://app.example.com/a/page/before?with=a&longer=query\r\nConnection: keep-alive\r\n"
    "Cookie: theme=dark; _ga=GA1.2.1234567890.1234567890; sid=" +
    session_id +
    "; consent=yes; lang=en-GB\r\nUpgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\nDNT: 1\r\nTE: trailers\r\n"
    "Cache-Control: max-age=0\r\nPriority: u=1\r\n\r\n";

}  // namespace doorward::bench
