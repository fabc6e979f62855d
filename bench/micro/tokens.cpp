#include <openssl/evp.h>
#include <openssl/pem.h>

#include "doorward/auth/assertion.hpp"
#include "doorward/auth/envelope.hpp"
#include "doorward/base/encoding.hpp"
#include "measure.hpp"

namespace doorward::bench {
namespace {

constexpr epoch_ms now = 1'714'564'870'000;
std::string const secret(32, 's');

// A new EC key on P-256: both halves, PEM.
std::pair<std::string, std::string> new_key() {
  auto* const key = EVP_EC_gen("P-256");
  auto* const out = BIO_new(BIO_s_mem());
  auto const text = [&] {
    char* data = nullptr;
    auto const n = BIO_get_mem_data(out, &data);
    std::string copy(data, static_cast<std::size_t>(n));
    (void)BIO_reset(out);
    return copy;
  };
  PEM_write_bio_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  auto first = text();
  PEM_write_bio_PUBKEY(out, key);
  auto second = text();
  BIO_free(out);
  EVP_PKEY_free(key);
  return {first, second};
}

config::assertion_key named(std::string text) {
  return {"2026-11", {"f", "f", redacted(std::move(text))}};
}

void assert_identity(benchmark::State& state, config::assertion_algorithm algorithm, bool again) {
  config::assertion_config c;
  c.algorithm = algorithm;
  c.keys.push_back(named(algorithm == config::assertion_algorithm::es256 ? new_key().first : secret));
  auth::assertion_signer signer(c, "https://app.example.com");
  session::field_layout const layout(config::session_fields{});
  session::record record(layout);
  bool filled = record.set(layout.at(session::field::user), "42");
  filled = record.set(layout.at(session::field::roles), "admin") && filled;
  if (!filled) state.SkipWithError("the record has no such fields");
  std::string out;
  epoch_ms at = now;
  measure(state, session_id.size() + 7, [&] {
    out.clear();
    if (!again) at += 60'000;
    auto r = signer.append(out, {session_id, record, 1, "app"}, at);
    benchmark::DoNotOptimize(r);
  });
}
BENCHMARK_CAPTURE(assert_identity, again, config::assertion_algorithm::es256, true)->Name("assertion, sent again");
BENCHMARK_CAPTURE(assert_identity, es256, config::assertion_algorithm::es256, false)->Name("assertion, ES256 signed");
BENCHMARK_CAPTURE(assert_identity, hs256, config::assertion_algorithm::hs256, false)->Name("assertion, HS256 signed");

std::string encoded(std::string_view text) {
  return base64url({reinterpret_cast<unsigned char const*>(text.data()), text.size()});
}

void open_envelope(benchmark::State& state, bool known) {
  auto const [private_pem, public_pem] = new_key();
  config::envelope_config c;
  c.keys.push_back(named(public_pem));
  auth::envelope_opener opener(c);
  jws_fault fault{};
  auto token = encoded(R"({"alg":"ES256","typ":"JWT","kid":"2026-11"})") + '.' +
               encoded(R"({"iss":"https://login.example.com","exp":1800000000,"sid":")" + session_id + R"("})");
  std::string signature;
  if (!jws_key::es256_private(private_pem, fault)->sign(token, signature)) state.SkipWithError("no signature");
  if (!known) signature.back() = static_cast<char>(signature.back() ^ 1);
  token += '.' + encoded(signature);
  std::string id;
  measure(state, token.size(), [&] {
    auto opened = opener.open(token, now, id);
    benchmark::DoNotOptimize(opened);
  });
}
BENCHMARK_CAPTURE(open_envelope, known, true)->Name("envelope, known");
BENCHMARK_CAPTURE(open_envelope, forged, false)->Name("envelope, forged");

}  // namespace
}  // namespace doorward::bench
