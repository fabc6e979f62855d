#pragma once

#include <string_view>

#include "doorward/http/head.hpp"

namespace doorward::auth {

/// Whether the answer is shown to a person as a page: `Sec-Fetch-Mode: navigate` when that field is there, else
/// `Accept` with `text/html`; never with `X-Requested-With: XMLHttpRequest`. Any method: a form is posted by a
/// navigation too.
[[nodiscard]] bool asks_for_page(http::request_head const& head) noexcept;

/// A navigation, which may be sent elsewhere without losing anything: asks_for_page() by
/// GET or HEAD.
[[nodiscard]] bool is_navigation(http::request_head const& head) noexcept;

/// Where a request was made.
enum class initiator {
  same_origin,  ///< this origin, or typed in by the person
  cross_site,   ///< a page of another origin, same site included: its scripts are not ours
  unknown,      ///< no header says: not a browser, or a very old one
};

/// By `Sec-Fetch-Site`, and where that is missing by comparing `Origin` with this origin: `public_origin` when
/// configured ("https://host[:port]"), else the Host field. Both are set by browsers and cannot be set by scripts.
[[nodiscard]] initiator initiator_of(http::request_head const& head, std::string_view public_origin) noexcept;

/// The same, and `Referer` counts too: for a log-out by GET, which a picture on another site could ask for.
[[nodiscard]] initiator initiator_of_navigation(http::request_head const& head,
                                                std::string_view public_origin) noexcept;

}  // namespace doorward::auth
