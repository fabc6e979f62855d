// A configuration: a model or problems, never both wrong, never an exception.
#include "doorward/config/load.hpp"
#include "require.hpp"

using namespace doorward;

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const loaded = config::load(text(data, size), "fuzz.yaml", [](std::string const&) { return std::nullopt; });
  require(loaded.value.has_value() || !loaded.problems.empty(), "what is refused is refused for a reason");
  if (loaded.value) (void)config::to_json(*loaded.value);
  return 0;
}
