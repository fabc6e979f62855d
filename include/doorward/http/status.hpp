#pragma once

#include <string_view>

namespace doorward::http {

/// What a status is called (RFC 9110 section 15): "Not Found" for 404; "Unknown" where there is no name.
[[nodiscard]] std::string_view reason_phrase(unsigned status) noexcept;

}  // namespace doorward::http
