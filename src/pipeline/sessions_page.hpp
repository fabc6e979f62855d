#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doorward/session/store.hpp"

namespace doorward::pipeline {

/// "Where you are logged in", for people: each session with a button that ends it. Forms only, no script. Pure.
[[nodiscard]] std::string sessions_page(std::span<session::listed_session const> all, std::string_view own_key,
                                        epoch_ms now);

extern std::string_view const sessions_page_style;

}  // namespace doorward::pipeline
