#include "doorward/net/tls.hpp"

#include <openssl/ssl.h>
#include <unistd.h>

#include <array>
#include <optional>
#include <string>

#include "catch.hpp"
#include "doorward/base/pem.hpp"
#include "event_loop.hpp"
#include "stream_pair.hpp"
#include "test_certificate.hpp"

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;
using net::io_status;

test_authority const& authority() {
  static test_authority const one;
  return one;
}

net::tls_identity identity(certificate_wish const& wish, std::vector<std::string> names = {}) {
  auto const c = authority().issue(wish);
  return {c.pem, redacted(c.key_pem), {}, names.empty() ? wish.dns_names : std::move(names)};
}

// Both ends of one connection, each with its own clock.
struct tls_bench {
  net::asio::io_context context;
  mock_clock clock;
  stream_pair pair{context};
  net::stream& server = pair.stream;
  net::stream client{net::socket(context, net::asio::generic::stream_protocol(AF_UNIX, 0), pair.peer.release())};
  net::watch server_watch{clock.wheel};
  net::watch client_watch{clock.wheel};
  std::shared_ptr<net::ticket_keys> keys = std::make_shared<net::ticket_keys>();
  std::shared_ptr<net::tls_server const> accepting;
  std::unique_ptr<net::tls_client> connecting;
  std::optional<io_status> server_done;
  std::optional<io_status> client_done;

  explicit tls_bench(net::tls_server_options const& options,
                     net::tls_client_options theirs = {authority().pem(), {}, {}}) {
    client.prepare(false);
    std::string error;
    accepting = net::tls_server::make(options, keys, error);
    INFO(error);
    REQUIRE(accepting);
    connecting = net::tls_client::make(theirs, error);
    REQUIRE(connecting);
  }
  ~tls_bench() {
    server_watch.interrupt();
    client_watch.interrupt();
    settle(context);
  }

  void shake_hands(std::string const& name) {
    server.start_tls(accepting->accept(server.native().native_handle()));
    client.start_tls(connecting->connect(client.native().native_handle(), name));
    net::spawn(carry(server, server_watch, server_done));
    net::spawn(carry(client, client_watch, client_done));
    settle(context);
  }
  static net::task<> carry(net::stream& s, net::watch& w, std::optional<io_status>& done) {
    done = co_await net::handshake(s, w, 10s);
  }
  [[nodiscard]] bool agreed() const { return server_done == io_status::ok && client_done == io_status::ok; }
};

std::string read_from(net::stream& s, io_status expected) {
  std::string all;
  for (;;) {
    std::array<char, 20'000> room{};
    auto const r = s.try_read(room);
    if (r.status == io_status::ok) {
      all.append(room.data(), r.bytes);
      continue;
    }
    CHECK(r.status == expected);
    return all;
  }
}

TEST_CASE("a handshake, and words both ways") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  CHECK(b.client.peek() == io_status::again);
  CHECK(b.client.try_write("question").status == io_status::ok);
  CHECK(b.server.peek() == io_status::ok);
  CHECK(read_from(b.server, io_status::again) == "question");
  std::array const parts{net::as_iovec("an "), net::as_iovec(""), net::as_iovec("answer")};
  CHECK(b.server.try_write(parts).bytes == 9);
  CHECK(read_from(b.client, io_status::again) == "an answer");
}

TEST_CASE("an end that was said is an end, one that was not is an error") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  (void)b.server.try_write("last words");
  bool const said = GENERATE(true, false);
  if (said)
    b.server.close();
  else
    b.server.shutdown();
  CHECK(read_from(b.client, said ? io_status::eof : io_status::error) == "last words");
}

TEST_CASE("half closed: what the other side says still comes") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  b.client.shutdown_send();
  CHECK(read_from(b.server, io_status::eof).empty());
  CHECK(b.server.try_write("still here").status == io_status::ok);
  CHECK(read_from(b.client, io_status::again) == "still here");
}

TEST_CASE("the client does not believe a certificate") {
  struct row {
    char const* what;
    certificate_wish wish;
    std::string asked;
    char const* because;
  };
  auto const r = GENERATE(values<row>({
      {"of another name", {.common_name = "b", .dns_names = {"b.test"}}, "a.test", "hostname mismatch"},
      {"of a wildcard two labels up", {.common_name = "w", .dns_names = {"*.test"}}, "x.a.test", "hostname mismatch"},
      {"whose name is in its subject, and another beside it",
       {.common_name = "a.test", .dns_names = {"b.test"}},
       "a.test",
       "hostname mismatch"},
      {"whose name is in its subject only", {.common_name = "a.test"}, "a.test", "hostname mismatch"},
      {"whose name is in its subject, and an address beside it",
       {.common_name = "a.test", .addresses = {"10.0.0.1"}},
       "a.test",
       "hostname mismatch"},
      {"that has ended",
       {.common_name = "a", .dns_names = {"a.test"}, .begins_in = -99, .ends_in = -9},
       "a.test",
       "expired"},
      {"of another address", {.common_name = "a", .addresses = {"10.0.0.1"}}, "10.0.0.2", "IP address mismatch"},
  }));
  CAPTURE(r.what);
  tls_bench b({{identity(r.wish)}});
  b.shake_hands(r.asked);
  CHECK(b.client_done == io_status::error);
  CAPTURE(b.client.tls()->failure());
  CHECK(b.client.tls()->failure().find(r.because) != std::string::npos);
  settle(b.context);
  CHECK(b.server_done == io_status::error);
}

TEST_CASE("the client does not believe an authority it was not told of") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}}, {test_authority("another").pem(), {}, {}});
  b.shake_hands("a.test");
  CHECK(b.client_done == io_status::error);
}

TEST_CASE("a dot at the end of a name is the resolver's") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test.");
  CHECK(b.agreed());
}

TEST_CASE("an address has a certificate too") {
  tls_bench b({{identity({.common_name = "a", .addresses = {"10.0.0.1", "::1"}})}});
  b.shake_hands(GENERATE("10.0.0.1", "::1"));
  CHECK(b.agreed());
}

TEST_CASE("the certificate is the one for the name that is asked for") {
  // Each client believes the certificate of its own name only.
  auto const name = GENERATE(as<std::string>{}, "a.test", "B.TEST", "x.wild.test");
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}}),
                identity({.common_name = "b", .dns_names = {"b.test"}}),
                identity({.common_name = "w", .dns_names = {"*.wild.test"}})}});
  b.shake_hands(name);
  CHECK(b.agreed());
}

TEST_CASE("the first certificate is for names nobody knows") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test", "else.test"}}, {"a.test"}),
                identity({.common_name = "b", .dns_names = {"b.test"}})}});
  b.shake_hands("else.test");
  CHECK(b.agreed());
}

TEST_CASE("clients' certificates") {
  auto const server = [](bool required) {
    return net::tls_server_options{
        {identity({.common_name = "a", .dns_names = {"a.test"}})}, authority().pem(), required};
  };
  auto const with = [](test_certificate const& c) {
    return net::tls_client_options{authority().pem(), c.pem, redacted(c.key_pem)};
  };
  SECTION("one that is vouched for, and its subject") {
    tls_bench b(server(GENERATE(true, false)), with(authority().issue({.common_name = "Jürgen, + co"})));
    b.shake_hands("a.test");
    REQUIRE(b.agreed());
    CHECK(b.server.tls()->peer_subject() == R"(CN=J\C3\BCrgen\, \+ co)");
  }
  SECTION("none, where it may be left out") {
    tls_bench b(server(false));
    b.shake_hands("a.test");
    REQUIRE(b.agreed());
    CHECK(b.server.tls()->peer_subject().empty());
  }
  SECTION("none, where it must be") {
    tls_bench b(server(true));
    b.shake_hands("a.test");
    CHECK(b.server_done == io_status::error);
  }
  SECTION("one that nobody vouches for") {
    tls_bench b(server(false), with(test_authority("another").issue({.common_name = "mallory"})));
    b.shake_hands("a.test");
    CHECK(b.server_done == io_status::error);
    CHECK(b.server.tls()->peer_subject().empty());
  }
}

// A handshake on a connection of its own, between the ends of `b`. True when it was resumed.
bool meet_again(tls_bench& b, std::string const& name) {
  stream_pair pair(b.context);
  net::stream client(net::socket(b.context, net::asio::generic::stream_protocol(AF_UNIX, 0), pair.peer.release()));
  client.prepare(false);
  pair.stream.start_tls(b.accepting->accept(pair.stream.native().native_handle()));
  client.start_tls(b.connecting->connect(client.native().native_handle(), name));
  std::optional<io_status> server_done;
  std::optional<io_status> client_done;
  net::watch server_watch{b.clock.wheel};
  net::watch client_watch{b.clock.wheel};
  net::spawn(tls_bench::carry(pair.stream, server_watch, server_done));
  net::spawn(tls_bench::carry(client, client_watch, client_done));
  settle(b.context);
  REQUIRE(server_done == io_status::ok);
  REQUIRE(client_done == io_status::ok);
  (void)pair.stream.try_write("x");
  CHECK(read_from(client, io_status::again) == "x");  // and the ticket in front of it
  CHECK(client.tls()->resumed() == pair.stream.tls()->resumed());
  return pair.stream.tls()->resumed();
}

TEST_CASE("a session is resumed, for the name that it was verified for") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test", "b.test"}})}});
  CHECK_FALSE(meet_again(b, "a.test"));
  CHECK(meet_again(b, "a.test"));
  CHECK_FALSE(meet_again(b, "b.test"));
  CHECK(meet_again(b, "a.test"));
}

TEST_CASE("a session is not resumed once the client's certificate has ended") {
  auto const c = authority().issue({.common_name = "short", .ends_in = 2});
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}, authority().pem(), false},
              {authority().pem(), c.pem, redacted(c.key_pem)});
  CHECK_FALSE(meet_again(b, "a.test"));
  CHECK(meet_again(b, "a.test"));
  auto const ended = [&] { return !is_current(read_certificates(c.pem)[0]); };
  while (!ended())
    ::usleep(50'000);
  b.shake_hands("a.test");
  CHECK(b.server_done == io_status::error);
  CHECK(b.server.tls()->failure().find("expired") != std::string::npos);
}

TEST_CASE("plain HTTP where TLS is spoken") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  CHECK(b.client.try_write("GET / HTTP/1.1\r\n\r\n").status == io_status::ok);
  b.server.start_tls(b.accepting->accept(b.server.native().native_handle()));
  net::spawn(tls_bench::carry(b.server, b.server_watch, b.server_done));
  settle(b.context);
  CHECK(b.server_done == io_status::error);
  CHECK(b.server.tls()->spoke_http());
}

TEST_CASE("a client that says nothing is waited for no longer than that") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.server.start_tls(b.accepting->accept(b.server.native().native_handle()));
  net::spawn(tls_bench::carry(b.server, b.server_watch, b.server_done));
  b.clock.pass(b.context, 11s);
  CHECK(b.server_done == io_status::again);
}

net::task<> send(net::stream& s, net::watch& w, std::string const& head, std::string const& body, bool& done) {
  std::array parts{net::as_iovec(head), net::as_iovec(body)};
  done = co_await net::write_all(s, w, 10s, parts) == io_status::ok;
}

TEST_CASE("more than the socket takes: it goes on where it stood") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  std::string const head = "the head ";
  std::string body;
  for (int i = 0; body.size() < 1'000'000; ++i)
    body += std::to_string(i) + ' ';
  bool done = false;
  net::spawn(send(b.server, b.server_watch, head, body, done));
  settle(b.context);
  CHECK_FALSE(done);
  std::string got;
  for (int i = 0; i < 100'000 && !done; ++i) {
    got += read_from(b.client, io_status::again);
    settle(b.context);
  }
  got += read_from(b.client, io_status::again);
  CHECK(done);
  CHECK((got == head + body));
}

TEST_CASE("bytes that have been decrypted are not waited for at the socket") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  (void)b.client.try_write("0123456789");
  std::array<char, 4> room{};
  CHECK(b.server.try_read(room).bytes == 4);
  auto const wait = [](net::stream& s, net::watch& w, bool& there) -> net::task<> {
    there = co_await s.readable(w, 10s);
  };
  bool there = false;
  net::spawn(wait(b.server, b.server_watch, there));
  CHECK(there);
}

TEST_CASE("records of one byte are taken together") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  for (char const c : std::string("0123456789"))
    (void)b.client.try_write(std::string(1, c));
  std::array<char, 100> room{};
  CHECK(b.server.try_read(room).bytes == 10);
}

TEST_CASE("a new key now and then is fine, one after the other is not") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.shake_hands("a.test");
  REQUIRE(b.agreed());
  auto const change_key = [&] {
    auto* const ssl = b.client.tls()->native();
    REQUIRE(SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    CHECK(b.client.try_write("x").status == io_status::ok);
  };
  for (int i = 0; i < 16; ++i)
    change_key();
  CHECK(read_from(b.server, io_status::again) == std::string(16, 'x'));
  change_key();
  (void)read_from(b.server, io_status::error);
  CHECK(b.server.tls()->failure() == "too many key updates");
}

TEST_CASE("a client may not choose the dearest of key exchanges") {
  tls_bench b({{identity({.common_name = "a", .dns_names = {"a.test"}})}});
  b.server.start_tls(b.accepting->accept(b.server.native().native_handle()));
  b.client.start_tls(b.connecting->connect(b.client.native().native_handle(), "a.test"));
  REQUIRE(SSL_set1_groups_list(b.client.tls()->native(), "ffdhe8192") == 1);
  net::spawn(tls_bench::carry(b.server, b.server_watch, b.server_done));
  net::spawn(tls_bench::carry(b.client, b.client_watch, b.client_done));
  settle(b.context);
  CHECK(b.server_done == io_status::error);
}

TEST_CASE("a key that does not belong, or nothing at all") {
  auto const one = authority().issue({.common_name = "one"});
  auto const other = authority().issue({.common_name = "other"});
  std::shared_ptr<net::ticket_keys> keys = std::make_shared<net::ticket_keys>();
  std::string error;
  CHECK(net::tls_server::make({{{one.pem, redacted(other.key_pem), {}, {}}}}, keys, error) == nullptr);
  CHECK(error.starts_with("[0]: "));
  error.clear();
  CHECK(net::tls_client::make({"no certificate", {}, {}}, error) == nullptr);
  CHECK_FALSE(error.empty());
}

}  // namespace
