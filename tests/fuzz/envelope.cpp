// An envelope: as it came, and with a good signature around header and claims, which a line feed separates.
#include "doorward/auth/envelope.hpp"
#include "doorward/base/encoding.hpp"
#include "doorward/http/cookies.hpp"
#include "require.hpp"

using namespace doorward;

namespace {

std::string const secret(32, 's');

std::string encoded(std::string_view text) {
  return base64url({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

auth::envelope_opener& opener() {
  static auth::envelope_opener made = [] {
    config::envelope_config c;
    c.algorithm = config::assertion_algorithm::hs256;
    c.keys.push_back({"a", {"f", "f", redacted(secret)}});
    return auth::envelope_opener(c);
  }();
  return made;
}

jws_key const& key() {
  static auto const made = [] {
    jws_fault fault{};
    return *jws_key::hs256(secret, fault);
  }();
  return made;
}

void try_one(std::string_view token) {
  std::string id = "left over";
  auto const fault = opener().open(token, 1'700'000'000'000, id);
  require(id.empty() == (fault != auth::envelope_fault::none), "an id, or what is wrong");
  if (!id.empty()) require(http::is_session_id(id), "what is opened may be an id");
  std::string again;
  require(opener().open(token, 1'700'000'000'000, again) == fault && again == id, "the same the second time");
}

}  // namespace

int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const bytes = text(data, size);
  try_one(bytes);
  std::string out;
  if (append_base64url_decoded(out, bytes)) require(encoded(out) == bytes, "there is one spelling");

  auto const cut = bytes.find('\n');
  if (cut == bytes.npos) return 0;
  auto const input = encoded(bytes.substr(0, cut)) + '.' + encoded(bytes.substr(cut + 1));
  std::string signature;
  require(key().sign(input, signature), "a secret signs");
  try_one(input + '.' + encoded(signature));
  return 0;
}
