#pragma once

#include <array>
#include <string_view>

#include "doorward/config/model.hpp"

/// The words that stand for a choice in the file: one table an enum, for reading, for writing, and for showing. The
/// order is that in which they are listed to people.
namespace doorward::config {

template <class E>
struct word {
  std::string_view text;
  E value;
};

/// Specialised for every enum that the file can name.
template <class E>
inline constexpr std::array<word<E>, 0> words{};

template <>
inline constexpr std::array<word<auth_mode>, 4> words<auth_mode>{{{"required", auth_mode::required},
                                                                  {"optional", auth_mode::optional},
                                                                  {"passive", auth_mode::passive},
                                                                  {"none", auth_mode::none}}};
template <>
inline constexpr std::array<word<unauthenticated_action>, 3> words<unauthenticated_action>{
    {{"auto", unauthenticated_action::automatic},
     {"reject", unauthenticated_action::reject},
     {"redirect", unauthenticated_action::redirect}}};
template <>
inline constexpr std::array<word<same_site>, 3> words<same_site>{
    {{"lax", same_site::lax}, {"strict", same_site::strict}, {"none", same_site::none}}};
template <>
inline constexpr std::array<word<identity_mode>, 2> words<identity_mode>{
    {{"grant", identity_mode::grant}, {"external", identity_mode::external}}};
template <>
inline constexpr std::array<word<limit_action>, 2> words<limit_action>{
    {{"displace_oldest", limit_action::displace_oldest}, {"deny", limit_action::deny}}};
template <>
inline constexpr std::array<word<assertion_algorithm>, 2> words<assertion_algorithm>{
    {{"es256", assertion_algorithm::es256}, {"hs256", assertion_algorithm::hs256}}};
template <>
inline constexpr std::array<word<key_layout>, 2> words<key_layout>{
    {{"plain", key_layout::plain}, {"tagged", key_layout::tagged}}};
template <>
inline constexpr std::array<word<cookie_codec>, 3> words<cookie_codec>{
    {{"plain", cookie_codec::plain}, {"express", cookie_codec::express}, {"base64", cookie_codec::base64}}};
template <>
inline constexpr std::array<word<session_encoding>, 5> words<session_encoding>{
    {{"hash", session_encoding::hash},
     {"json", session_encoding::json},
     {"redisjson", session_encoding::redisjson},
     {"php", session_encoding::php},
     {"spring", session_encoding::spring}}};
template <>
inline constexpr std::array<word<log_level>, 6> words<log_level>{{{"trace", log_level::trace},
                                                                  {"debug", log_level::debug},
                                                                  {"info", log_level::info},
                                                                  {"warn", log_level::warn},
                                                                  {"error", log_level::error},
                                                                  {"off", log_level::off}}};
template <>
inline constexpr std::array<word<log_format>, 3> words<log_format>{
    {{"auto", log_format::automatic}, {"json", log_format::json}, {"text", log_format::text}}};

/// The word for a value.
template <class E>
[[nodiscard]] constexpr std::string_view word_for(E value) noexcept {
  static_assert(!words<E>.empty());
  for (auto const& w : words<E>)
    if (w.value == value) return w.text;
  return {};
}

}  // namespace doorward::config
