#include "doorward/session/lifetime.hpp"
#include "measure.hpp"
#include "redis/reply_builder.hpp"

namespace doorward::bench {
namespace {

using strings = std::vector<std::string>;

strings record_of(std::size_t fields) {
  strings r{"userId", "42", "role", "admin", "createdAt", "1714564800000", "lastSeen", "1714564860000"};
  for (std::size_t i = 4; i < fields; ++i) {
    r.push_back("field-" + std::to_string(i));
    r.push_back("a value of some length " + std::to_string(i));
  }
  return r;
}

std::size_t bytes_of(strings const& items) {
  std::size_t n = 0;
  for (auto const& s : items)
    n += s.size();
  return n;
}

// From the pieces that hiredis finds in a reply to the record. hiredis's own part is not in it.
void decode(benchmark::State& state) {
  auto const items = record_of(static_cast<std::size_t>(state.range(0)));
  session::field_layout const layout(config::session_fields{});
  session::record record(layout);
  redis::reply_builder builder;
  measure(state, bytes_of(items), [&] {
    bool fits = builder.array(items.size(), true);
    for (auto const& s : items)
      fits = builder.item(s) && fits;
    auto outcome = session::decode(builder.finish(), record);
    benchmark::DoNotOptimize(fits);
    benchmark::DoNotOptimize(outcome);
  });
}
BENCHMARK(decode)->Name("reply decoding, fields")->Arg(4)->Arg(8)->Arg(64);

void decide_touch(benchmark::State& state) {
  config::session_lifetime const lifetime;
  session::field_layout const layout(config::session_fields{});
  session::record record(layout);
  bool filled = record.set(layout.at(session::field::created), "1714564800000");
  filled = record.set(layout.at(session::field::last_seen), "1714564860000") && filled;
  if (!filled) state.SkipWithError("the record has no such fields");
  measure(state, 26, [&] {
    auto over = session::past_absolute(record, lifetime, 1'714'564'870'000);
    auto touch = session::needs_touch(record, lifetime, 1'714'564'870'000);
    benchmark::DoNotOptimize(over);
    benchmark::DoNotOptimize(touch);
  });
}
BENCHMARK(decide_touch)->Name("touch decision");

}  // namespace
}  // namespace doorward::bench
