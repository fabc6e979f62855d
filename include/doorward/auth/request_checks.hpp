#pragma once

#include <string_view>

#include "doorward/http/head.hpp"

namespace doorward::auth {

/// Whether a person is looking at the answer (contract C5): `Sec-Fetch-Mode: navigate` when that field is there, else
/// `Accept` with `text/html`; GET and HEAD only, and never with `X-Requested-With: XMLHttpRequest`.
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
