#include "doorward/http/body.hpp"

#include <algorithm>
#include <cstring>

namespace doorward::http {

void body_decoder::start(framing f, std::uint64_t content_length) noexcept {
  framing_ = f;
  remaining_ = f == framing::length ? content_length : 0;
  finished_ = f == framing::none || (f == framing::length && content_length == 0);
  if (f == framing::chunked) chunks_ = chunked_decoder();
}

result<body_decoder::step> body_decoder::feed(std::span<char> input) noexcept {
  if (finished_) return step{0, {}, true};
  switch (framing_) {
    case framing::none: break;
    case framing::until_close: return step{input.size(), input, false};
    case framing::length: {
      auto const n = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, input.size()));
      remaining_ -= n;
      finished_ = remaining_ == 0;
      return step{n, input.first(n), finished_};
    }
    case framing::chunked: {
      std::size_t consumed = 0;
      std::size_t size = 0;
      while (consumed < input.size() && !finished_) {
        auto const r = chunks_.feed(input.subspan(consumed));
        if (!r) return r.error();
        if (r->consumed == 0 && !r->finished) break;
        // Data moves forward only, over framing that has been read already.
        if (!r->data.empty()) std::memmove(input.data() + size, r->data.data(), r->data.size());
        size += r->data.size();
        consumed += r->consumed;
        finished_ = r->finished;
      }
      return step{consumed, input.first(size), finished_};
    }
  }
  return step{0, {}, true};
}

}  // namespace doorward::http
