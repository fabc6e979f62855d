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
  /// Of an IPv4 address, or of the /64 block of an IPv6 address: whoever has one has the other 2^64 too. A name that a
  /// trusted proxy uses instead of an address is taken as it is.
  [[nodiscard]] keyed_digest::value address(std::string_view text) const;
  /// Case and blanks around it do not tell users apart.
  [[nodiscard]] keyed_digest::value user(std::string_view name) const;

private:
  keyed_digest digest_;
};

/// The value of `field` in the body of a login: `application/x-www-form-urlencoded`, or a member of a JSON object.
/// Nothing when the body is of another type, broken, or has no such field. errc::bad_request when it is there twice
/// with different values: the identity service may take one, and what is counted the other.
[[nodiscard]] result<std::optional<std::string>> login_name(std::string_view content_type, std::string_view body,
                                                            std::string_view field);

}  // namespace doorward::auth
