#pragma once

#include <cstddef>

/// Calls of operator new in this program so far, on the calling thread: for tests of code that promises not to
/// allocate.
[[nodiscard]] std::size_t allocations() noexcept;
