#pragma once

#include <string>
#include <string_view>

namespace doorward::http {

/// What a User-Agent is to the person who uses it: "Firefox on Linux", "Chrome on Android". Programs go by their own
/// name, at most 32 characters of it; empty for what cannot be named. Only letters, digits and what names are made of.
/// A guess for people: nothing is decided by it.
[[nodiscard]] std::string device_name(std::string_view user_agent);

/// The class of device that a User-Agent says it is: "computer", "phone", "tablet" or "other" (programs, television
/// sets, and what says nothing of it). Clients say what they like; and an iPad says that it is a Mac.
[[nodiscard]] std::string_view device_class(std::string_view user_agent) noexcept;

}  // namespace doorward::http
