#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <thread>

#include "../redis/feeding_redis.hpp"
#include "doorward/pipeline/exchange.hpp"
#include "heap_use.hpp"
#include "model.hpp"
#include "server/http1_connection.hpp"
#include "stream_pair.hpp"

// What a busy keep-alive connection takes from the heap: nothing. Redis and the application are on a thread of their
// own, so what this one takes is doorward's.

namespace {

using namespace std::chrono_literals;
using namespace doorward;
using namespace doorward::test;

constexpr std::string_view record =
    "*8\r\n$6\r\nuserId\r\n$2\r\n42\r\n$4\r\nrole\r\n$5\r\nadmin\r\n$9\r\ncreatedAt\r\n$13\r\n4102444800000\r\n"
    "$8\r\nlastSeen\r\n$13\r\n4102444800000\r\n";

/// Redis and the application, until this ends.
class peers {
public:
  explicit peers(temporary_folder const& folder)
      : redis_(context_, folder.file("redis")),
        acceptor_(context_, asio::local::stream_protocol::endpoint{folder.file("app")}) {
    feeding_.record = record;
    accept();
    thread_ = std::thread([this] { context_.run(); });
  }
  ~peers() {
    context_.stop();
    thread_.join();
  }
  peers(peers const&) = delete;
  peers& operator=(peers const&) = delete;

private:
  struct connection {
    explicit connection(fake_redis::socket s) : stream(std::move(s)) {}
    fake_redis::socket stream;
    std::array<char, 4096> piece{};
  };

  void accept() {
    acceptor_.async_accept([this](boost::system::error_code ec, fake_redis::socket s) {
      if (ec) return;
      serve(std::make_shared<connection>(std::move(s)));
      accept();
    });
  }
  // A request comes in one piece here: it is small, and sent by one call.
  void serve(std::shared_ptr<connection> const& c) {
    c->stream.async_read_some(asio::buffer(c->piece), [this, c](boost::system::error_code ec, std::size_t) {
      if (ec) return;
      asio::write(c->stream, asio::buffer(std::string_view("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")), ec);
      serve(c);
    });
  }

  asio::io_context context_{1};
  fake_redis redis_;
  feeding feeding_{redis_};
  asio::local::stream_protocol::acceptor acceptor_;
  std::thread thread_;
};

struct front {
  std::string session;
  temporary_folder folder;
  peers behind{folder};
  obs::log_writer nowhere{-1};
  config::model const model =
      model_of("redis: { url: 'unix://" + folder.file("redis") + "' }\nupstreams: { app: 'unix:" + folder.file("app") +
               "' }\nidentity: { upstream: app }\nheaders: { X-User-Id: '{userId}', X-Role: "
               "'{role}' }\nsession: " +
               session + "\nroutes: [{ path: /**, upstream: app }]\n");
  runtime::shared_state shared{model};
  runtime::worker worker{0, 1, model, shared, nowhere, obs::access_style::json};
  server::listener listener{worker};
  descriptor client;

  explicit front(std::string how) : session(std::move(how)) {
    worker.start();
    auto ends = socket_pair();
    net::socket s(worker.context, net::asio::generic::stream_protocol(AF_UNIX, 0), ends.first.release());
    pipeline::peer p;
    p.text = "192.0.2.1";
    net::spawn(server::http1_connection::serve(
        listener, std::move(s), server::place(shared.connections, shared.per_listener[0]), std::move(p), false));
    client = std::move(ends.second);
    REQUIRE(run_until(worker.context, [&] { return worker.redis.connected(); }));
  }
  ~front() {
    listener.cut();
    worker.stop();
    settle(worker.context);
  }
  front(front const&) = delete;
  front& operator=(front const&) = delete;

  /// One request and its whole answer, without taking anything from the heap here. False when it was no 200.
  bool ask(std::string_view request) {
    if (!client.write(request)) return false;
    std::array<char, 2048> answer;
    std::size_t got = 0;
    auto const end = steady::now() + 10s;
    while (got < 2 || std::string_view(answer.data() + got - 2, 2) != "ok") {
      worker.context.restart();
      worker.context.run_one_for(1ms);
      auto const n = ::recv(client.get(), answer.data() + got, answer.size() - got, 0);
      if (n > 0) got += static_cast<std::size_t>(n);
      if (steady::now() > end) return false;
    }
    return std::string_view(answer.data(), 12) == "HTTP/1.1 200";
  }
};

}  // namespace

TEST_CASE("a keep-alive connection takes nothing from the heap for another request") {
  if (!frames_are_kept) return;  // under a sanitizer every coroutine frame comes from the heap
  struct row {
    char const* name;
    std::string more;
    std::string session = "{}";
    std::string cookie = "0123456789abcdef0123456789abcdef";
  };
  auto const [name, more, session, cookie] = GENERATE(
      row{"small head", ""},
      row{"signed id, hashed key", "", "{ store_hashed: true, cookie: { keys: [0123456789abcdef0123456789abcdef] } }",
          "an-id-for-the-documentation.a2haT0.7j7feqPgjtKnJACsa_PLnS_P-yU_y7S9"},
      row{"near-cache", "", "{ cache: { enabled: true, max_age: 1h } }"},
      row{"browser's head",
          "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0\r\nAccept: "
          "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-GB,en;q=0.5\r\n"
          "Accept-Encoding: gzip, deflate, br\r\nReferer: https://app.example.com/a/page/before?with=query\r\n"
          "Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: same-origin\r\n"
          "Upgrade-Insecure-Requests: 1\r\nX-User-Id: forged\r\n"});
  CAPTURE(name);
  front f(session);
  auto const request = "GET /a/page?q=1 HTTP/1.1\r\nHost: app.example.com\r\nCookie: theme=dark; sid=" + cookie +
                       "; lang=en\r\n" + more + "\r\n";
  bool all = true;
  for (int i = 0; i < 300; ++i)
    all = f.ask(request) && all;
  REQUIRE(all);

  constexpr std::size_t requests = 500;
  auto const before = heap_use_so_far().taken;
  for (std::size_t i = 0; i < requests; ++i)
    all = f.ask(request) && all;
  auto const taken = heap_use_so_far().taken - before;
  CHECK(all);
  // What remains is the log's: a buffer is handed to its writer for every hundred lines or so.
  CHECK(taken <= requests / 50);
}
