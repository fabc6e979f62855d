#pragma once

#include <string>

namespace doorward::test {

/// A key made for a test, as PEM.
struct test_key {
  std::string private_pem;
  std::string public_pem;
};

/// An EC key on a curve by its name, `P-256` or `P-384`; for `RSA` one of 2,048 bits.
[[nodiscard]] test_key make_key(std::string const& kind = "P-256");

}  // namespace doorward::test
