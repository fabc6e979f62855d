#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "doorward/base/keyed_digest.hpp"
#include "doorward/base/result.hpp"

namespace doorward::auth {

/// Who tries to log in, as keys of failed_logins: names and addresses are kept nowhere in clear.
class login_keys {
public:
  /// Of an IPv4 address, or of the /64 block of an IPv6 address: whoever has one has the other 2^64 too.
  [[nodiscard]] keyed_digest::value address(std::string_view text) const;
  /// As folded() has it.
  [[nodiscard]] keyed_digest::value user(std::string_view name) const;

private:
  keyed_digest digest_;
};

/// Without the white space and control bytes around it, in lower case (ASCII): what does not tell users apart.
[[nodiscard]] std::string folded(std::string_view name);

/// Whom a login is for.
struct login_user {
  std::optional<std::string> name;  ///< folded
  bool readable = true;             ///< false: the body is of a type that is not looked into
};

/// Looks for `field` in the query and the body of a login: a form, in one piece or in parts, or a JSON object. Types
/// are not relied on, because many services do not; nor is the case of names, nor blanks around them. errc::bad_request
/// when the field is there twice with different values, wherever: the identity service may take one, and what is
/// counted the other; and for zero bytes in what says that it is text.
[[nodiscard]] result<login_user> find_login_user(std::string_view content_type, std::string_view query,
                                                 std::string_view body, std::string_view field);

}  // namespace doorward::auth
