#pragma once

#include "doorward/pipeline/exchange.hpp"

/// From what a session cookie holds to the id it stands for, where that is not the same: session.envelope.
namespace doorward::pipeline {

/// The longest value of our cookie that is looked at.
[[nodiscard]] std::size_t longest_cookie_value(exchange const& x) noexcept;

/// Puts in the place of each value of x.cookies the id that it holds; values that hold none are taken out, and so is an
/// id that is there already. Nothing to do where ids come bare.
void take_ids_out(exchange& x);

/// Our cookie came, and no value of it leads to an id.
[[nodiscard]] errc why_no_id(exchange const& x) noexcept;

}  // namespace doorward::pipeline
