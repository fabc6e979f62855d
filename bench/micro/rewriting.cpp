#include <algorithm>

#include "doorward/config/load.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "measure.hpp"
#include "pipeline/stages.hpp"

namespace doorward::bench {
namespace {

constexpr char configuration[] = R"(
redis: { url: "redis://127.0.0.1:6379" }
upstreams: { app: http://127.0.0.1:3000 }
identity: { upstream: app }
headers: { X-User-Id: "{userId}", X-User-Role: "{role?}" }
routes: [{ path: /**, upstream: app }]
)";

/// A worker that serves nothing, and an exchange whose stages are called by hand.
struct workbench {
  config::model model = *config::load(configuration, "bench.yaml", [](auto const&) { return std::nullopt; }).value;
  obs::log_writer nowhere{-1};
  runtime::shared_state shared{model};
  runtime::worker worker{0, 1, model, shared, nowhere, obs::access_style::json};
  net::stream stream{worker.context.get_executor()};
  net::read_buffer buffer{worker.buffers};
  net::watch watch{worker.wheel};
  pipeline::peer from;
  pipeline::downstream client{worker, stream, buffer, watch, from};
  pipeline::exchange x{worker};
};

// The stages without a wait in them: from the bytes that were read to the bytes that go upstream.
void rewrite(benchmark::State& state, std::string const& bytes) {
  workbench b;
  b.from.text = "192.0.2.1";
  auto const& fields = b.worker.view.fields;
  bool well = true;
  measure(state, bytes.size(), [&] {
    b.x.begin(b.client, bytes);
    well = well && pipeline::receive(b.x) && pipeline::sanitize(b.x) && pipeline::match(b.x);
    well = well && b.x.session.set(fields.at(session::field::user), "42");
    well = well && b.x.session.set(fields.at(session::field::roles), "admin");
    b.x.session_id = session_id;
    well = well && pipeline::authorize(b.x) && pipeline::transform(b.x);
  });
  if (!well) state.SkipWithError("a stage refused the request");
}
BENCHMARK_CAPTURE(rewrite, small_head, small_head)->Name("header rewriting, small");
BENCHMARK_CAPTURE(rewrite, browser_head, browser_head)->Name("header rewriting, browser");

}  // namespace
}  // namespace doorward::bench
