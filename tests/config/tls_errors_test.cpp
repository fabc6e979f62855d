#include "loading.hpp"
#include "temporary_folder.hpp"
#include "test_certificate.hpp"

using namespace doorward::config;
using namespace doorward::test;

namespace {

using namespace std::chrono_literals;

// The files that the plays of this file name.
struct certificate_files {
  temporary_folder folder;
  test_authority authority;

  certificate_files() {
    auto const app = authority.issue({.common_name = "app", .dns_names = {"app.test", "*.app.test"}});
    folder.write("app.crt", app.pem + authority.pem());
    folder.write("app.key", app.key_pem);
    folder.write("nameless.crt", authority.issue({.common_name = "nobody"}).pem);
    auto const nameless = authority.issue({.common_name = "nobody"});
    folder.write("nameless.crt", nameless.pem);
    folder.write("nameless.key", nameless.key_pem);
    auto const old =
        authority.issue({.common_name = "old", .dns_names = {"old.test"}, .begins_in = -99, .ends_in = -9});
    folder.write("old.crt", old.pem);
    folder.write("old.key", old.key_pem);
    folder.write("ca.crt", authority.pem());
    folder.write("remark.txt", "no certificate\n");
  }

  // `~/` stands for the folder.
  [[nodiscard]] std::string located(std::string text) const {
    for (auto at = text.find("~/"); at != std::string::npos; at = text.find("~/", at))
      text.replace(at, 1, folder.path().string());
    return text;
  }
};

certificate_files const& files() {
  static certificate_files const all;
  return all;
}

void check_located(std::vector<wrong> rows, problem::level severity = problem::level::error) {
  for (auto& r : rows) {
    r.yaml = files().located(r.yaml);
    r.text = files().located(r.text);
  }
  check_each(rows, severity);
}

constexpr char good[] = "{ cert: ~/app.crt, key: ~/app.key }";

}  // namespace

TEST_CASE("TLS: certificates that cannot be used") {
  std::string const tls = "server: { tls: ";
  check_located({
      {tls + "[@@{ cert: ~/app.crt }] }", "server.tls[0].key", "this key is required"},
      {"server: { listen: [{ address: 127.0.0.1:1, connections: @@-1 }] }", "server.listen[0].connections",
       "a whole number from 0 to 10000000 is expected here"},
      {tls + "[{ cert: @@~/none.crt, key: ~/app.key }] }", "server.tls[0].cert",
       "the file `~/none.crt` cannot be read: No such file or directory"},
      {tls + "[{ cert: @@~/remark.txt, key: ~/app.key }] }", "server.tls[0].cert",
       "the file `~/remark.txt` holds no certificate in PEM form"},
      {tls + "[{ cert: ~/app.crt, key: @@~/ca.crt }] }", "server.tls[0].key",
       "the file `~/ca.crt` holds no private key in PEM form",
       "a key with a password cannot be read: there is nobody to ask"},
      {tls + "[{ cert: ~/app.crt, key: @@~/old.key }] }", "server.tls[0].key", "the key is not the one of `~/app.crt`",
       "the certificate comes first in its file, then its issuers"},
      {tls + "[{ cert: ~/app.crt, key: ~/app.key, names: [@@a/b] }] }", "server.tls[0].names[0]", "not a host name",
       "for example `app.example.com` or `*.example.com`"},
      {tls + "[{ cert: ~/app.crt, key: ~/app.key, ocsp: @@~/remark.txt }] }", "server.tls[0].ocsp",
       "the file `~/remark.txt` holds no OCSP response in DER form"},
      {tls + "[" + good + ", @@{ cert: ~/nameless.crt, key: ~/nameless.key }] }", "server.tls[1]",
       "nobody would be shown this certificate: it has no DNS name, and no `names` are given"},
  });
}

TEST_CASE("TLS: certificates that nobody will see, or believe, are worth a warning") {
  std::string const tls = "server: { listen: [{ address: 127.0.0.1:1, tls: true }], tls: ";
  check_located({{tls + "[" + good + ", @@{ cert: ~/app.crt, key: ~/app.key }] }", "server.tls[1]",
                  "nobody would be shown this certificate: earlier ones have all of its names"},
                 {tls + "[{ cert: ~/app.crt, key: ~/app.key, names: @@[app.test, x.app.test, else.test] }] }",
                  "server.tls[0].names", "the certificate is not for `else.test`: clients will refuse it"}},
                problem::level::warning);
}

TEST_CASE("TLS: listeners and clients that do not fit") {
  auto const server = [](std::string const& rest) {
    return "server: { tls: [" + std::string(good) + "], " + rest + " }";
  };
  check_located({
      {"server: { listen: [{ address: 127.0.0.1:1, tls: @@true }] }", "server.listen[0].tls", "there is no certificate",
       "give `server.tls`"},
      {server("listen: [{ address: 127.0.0.1:1, tls: true, redirect_to_https: @@true }, 127.0.0.1:2]"),
       "server.listen[0].redirect_to_https", "this listener speaks TLS itself"},
      {"server: { listen: [{ address: 127.0.0.1:1, proxy_protocol: @@true }] }", "server.listen[0].proxy_protocol",
       "nobody could come in", "name the proxies in `server.trusted_proxies`"},
      {"server: { listen: [@@{ tls: false }] }", "server.listen[0].address", "this key is required"},
      {server("client_certificates: { required: @@true }"), "server.client_certificates.required",
       "nobody could come in", "give `ca`: who vouches for the clients"},
      {server("client_certificates: { subject_header: @@X-Subject }"), "server.client_certificates.subject_header",
       "without `ca` no client is asked for a certificate"},
      {server("client_certificates: { ca: @@~/remark.txt }"), "server.client_certificates.ca",
       "the file `~/remark.txt` holds no certificate in PEM form"},
      {server("client_certificates: { ca: ~/ca.crt, subject_header: @@x_user_id }"),
       "server.client_certificates.subject_header", "the same header as one of `headers`"},
      {"server: { client_certificates: @@{ ca: ~/ca.crt } }", "server.client_certificates",
       "no listener speaks TLS, so no client is asked for a certificate", "give `server.tls`"},
  });
}

TEST_CASE("TLS: upstreams that do not fit") {
  auto const app = [](std::string const& url, std::string const& rest) {
    return "upstreams: { id: http://x, app: { endpoints: [" + url + "], " + rest + " } }";
  };
  check_located({
      {app("http://x", "tls: @@{ ca: ~/ca.crt }"), "upstreams.app.tls", "no endpoint is `https://`"},
      {app("https://x", "tls: @@{ cert: ~/app.crt }"), "upstreams.app.tls", "`cert` and `key` come together"},
      {app("https://x", "tls: { ca: @@~/app.key }"), "upstreams.app.tls.ca",
       "the file `~/app.key` holds no certificate in PEM form"},
      {app("https://x", "tls: { cert: ~/app.crt, key: @@~/old.key }"), "upstreams.app.tls.key",
       "the key is not the one of `~/app.crt`", "the certificate comes first in its file, then its issuers"},
      {app("https://x", "tls: { server_name: @@a/b }"), "upstreams.app.tls.server_name", "not a host name"},
  });
}

TEST_CASE("TLS: what is worth a thought") {
  check_located(
      {
          {"server: { tls: [{ cert: @@~/old.crt, key: ~/old.key }] }", "server.tls[0].cert",
           "the certificate is not valid today: clients will refuse it"},
          {"server: { listen: \"unix:/x\", tls: @@[{ cert: ~/app.crt, key: ~/app.key }] }", "server.tls",
           "no listener speaks TLS, so the certificates are not used"},
          {"server: { hsts: @@{ max_age: 1d } }", "server.hsts",
           "no listener speaks TLS, and over plain http it is not said"},
      },
      problem::level::warning);
}

TEST_CASE("TLS: what follows from a certificate") {
  auto const m = loaded_model(files().located(R"(
server:
  listen: [127.0.0.1:1, "unix:/x", { address: 127.0.0.1:2, tls: false }, { address: 127.0.0.1:3, redirect_to_https: true }]
  tls: [{ cert: ~/app.crt, key: ~/app.key }, { cert: ~/old.crt, key: ~/old.key, names: [Else.test] }]
  hsts: { max_age: 365d }
)"));
  std::vector<bool> tls;
  for (auto const& l : m.server.listen)
    tls.push_back(l.tls);
  CHECK(tls == std::vector{true, false, false, false});
  CHECK(m.server.tls[0].names == std::vector<std::string>{"app.test", "*.app.test"});
  CHECK(m.server.hsts.max_age == std::chrono::hours{24 * 365});
  CHECK(m.session.cookie.secure);
  CHECK(m.session.cookie.name == "__Host-sid");
}

TEST_CASE("TLS: files that are read again") {
  temporary_folder folder;
  auto const put = [&](std::string const& name, test_certificate const& c) {
    folder.write(name + ".crt", c.pem);
    folder.write(name + ".key", c.key_pem);
  };
  auto const first = files().authority.issue({.common_name = "one", .dns_names = {"one.test"}});
  auto const second = files().authority.issue({.common_name = "two", .dns_names = {"two.test"}});
  put("a", first);
  auto const m =
      loaded_model("server: { tls: [{ cert: " + folder.file("a.crt") + ", key: " + folder.file("a.key") + " }] }");

  constexpr doorward::milliseconds at_once{0};
  auto const same = reread_certificates(m.server, at_once);
  CHECK_FALSE(same.value);
  CHECK(same.error.empty());

  folder.write("a.crt", second.pem);  // and the key not yet
  auto const half = reread_certificates(m.server, at_once);
  CHECK_FALSE(half.value);
  CHECK(half.error == "the key is not the one of `" + folder.file("a.crt") + '`');

  put("a", second);
  auto const fresh = reread_certificates(m.server, at_once);
  REQUIRE(fresh.value);
  CHECK(fresh.value->tls[0].cert.content.reveal() == second.pem);

  put("a", files().authority.issue({.common_name = "old", .begins_in = -99, .ends_in = -9}));
  CHECK(reread_certificates(m.server, at_once).error ==
        "the certificate in `" + folder.file("a.crt") + "` is not valid today, and the one before it is");

  // What was written just now may be half of what it will be.
  put("a", second);
  auto const waits = reread_certificates(m.server, std::chrono::hours{1});
  CHECK_FALSE(waits.value);
  CHECK(waits.error.empty());
  std::error_code ec;
  for (auto const* name : {"a.crt", "a.key"})
    std::filesystem::last_write_time(folder.file(name), std::filesystem::file_time_type::clock::now() - 2h, ec);
  CHECK(reread_certificates(m.server, std::chrono::hours{1}).value);

  std::filesystem::remove(folder.file("a.key"));
  CHECK(reread_certificates(m.server, at_once).error.ends_with("No such file or directory"));
}
