#pragma once

#include <array>
#include <string>
#include <string_view>

/// What sessions can be bound to (`session.bind`): the program and the network that their users logged in with.
namespace doorward::session {

/// What is kept of a User-Agent: the first 64 bits of its SHA-256, in hexadecimal. It tells programs apart and is no
/// secret: whoever guesses the text can make it.
using agent_digest_text = std::array<char, 16>;
[[nodiscard]] agent_digest_text agent_digest(std::string_view user_agent);

/// True for two addresses of one network: /24 for IPv4 (also when it is written as IPv6), /48 for IPv6. What is no
/// address ("unix", an IPv6 address with a zone) is in a network with its like only.
[[nodiscard]] bool same_network(std::string_view a, std::string_view b) noexcept;

/// "192.0.2.0/24", "2001:db8:1::/48"; what is no address as it is. For people.
[[nodiscard]] std::string network_name(std::string_view address);

}  // namespace doorward::session
