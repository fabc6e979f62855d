#include "doorward/app/cli.hpp"

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "catch.hpp"
#include "descriptor.hpp"
#include "temporary_folder.hpp"

namespace {

using doorward::test::temporary_folder;
namespace app = doorward::app;

/// What the program says while this lives.
class captured {
public:
  captured() : out_before_(std::cout.rdbuf(out.rdbuf())), err_before_(std::cerr.rdbuf(err.rdbuf())) {}
  ~captured() {
    std::cout.rdbuf(out_before_);
    std::cerr.rdbuf(err_before_);
  }
  captured(captured const&) = delete;
  captured& operator=(captured const&) = delete;

  std::ostringstream out;
  std::ostringstream err;

private:
  std::streambuf* out_before_;
  std::streambuf* err_before_;
};

struct said {
  int code;
  std::string out;
  std::string err;
};

said run(std::vector<std::string> words) {
  words.insert(words.begin(), "doorward");
  std::vector<char*> argv;
  for (auto& w : words)
    argv.push_back(w.data());
  argv.push_back(nullptr);
  captured c;
  auto const code = app::run(static_cast<int>(words.size()), argv.data());
  return {code, c.out.str(), c.err.str()};
}

std::string conf(std::string const& name) {
  return std::string(DOORWARD_SOURCE_DIR) + "/conf/" + name;
}

bool holds(std::string const& text, std::string const& part) {
  return text.find(part) != std::string::npos;
}

std::string const good = R"(
redis: { url: "unix:///nowhere/redis.sock", timeouts: { connect: 10ms } }
upstreams: { app: http://127.0.0.1:3000, identity: http://127.0.0.1:4000 }
identity: { upstream: identity }
routes:
  - { id: public, path: /public/**, upstream: app, auth: none }
  - { path: /**, upstream: app }
)";

}  // namespace

TEST_CASE("usage, by what is wrong with it") {
  auto const words = GENERATE(values<std::vector<std::string>>({
      {},
      {"unknown"},
      {"check"},
      {"check", "-c"},
      {"check", "-c", "a.yaml", "more"},
      {"check", "--unknown", "-c", "a.yaml"},
      {"serve"},
      {"routes"},
      {"explain", "-c", "a.yaml"},
      {"explain", "-c", "a.yaml", "GET"},
      {"probe"},
      {"probe", "-c", "a.yaml", "--url", "http://127.0.0.1:1/"},
      {"version", "more"},
      {"explain", "-c", "a.yaml", "GET", "/", "--header", "broken"},
      {"explain", "-c", "a.yaml", "GET", "/", "--header", ": nameless"},
      {"session"},
      {"session", "list"},
      {"session", "list", "-c", "a.yaml"},
      {"session", "show", "-c", "a.yaml", "--user", "42"},
      {"session", "revoke", "-c", "a.yaml", "--handle", "h"},
  }));
  CAPTURE(words);
  auto const s = run(words);
  CHECK(s.code == app::bad_usage);
  CHECK_FALSE(s.err.empty());
  CHECK(s.out.empty());
}

TEST_CASE("usage, the word that is wrong is named") {
  struct row {
    std::vector<std::string> words;
    std::string said;
  };
  auto const r = GENERATE(values<row>({
      {{"chekc", "-c", "a.yaml"}, "there is no command `chekc`; the commands are serve, check, routes, explain, "},
      {{"chekc", "--help"}, "`chekc`"},
      {{"session", "revoke", "-c", "a.yaml", "--yes"}, "one of --user and --all-users"},
      {{"session", "show", "-c", "a.yaml"}, "--user and --handle, or --id-stdin"},
      {{"explain", "-c", "a.yaml", "GET", "/", "--header", "broken"}, "`broken` is not a header"},
      {{"check", "-c", "a.yaml", "more"}, "more"},
      {{"check", "--unknown", "-c", "a.yaml"}, "--unknown"},
  }));
  CAPTURE(r.words);
  CHECK(holds(run(r.words).err, r.said));
}

TEST_CASE("help, everywhere, is no mistake") {
  auto const words = GENERATE(values<std::vector<std::string>>({
      {"--help"},
      {"-h"},
      {"serve", "--help"},
      {"check", "--help"},
      {"routes", "--help"},
      {"explain", "--help"},
      {"probe", "--help"},
      {"session", "--help"},
      {"session", "list", "--help"},
      {"session", "show", "--help"},
      {"session", "revoke", "--help"},
      {"schema", "--help"},
      {"version", "--help"},
  }));
  CAPTURE(words);
  auto const s = run(words);
  CHECK(s.code == app::done);
  CHECK(holds(s.out, "Usage"));
  CHECK(s.err.empty());
}

TEST_CASE("version, it names the program and what it was built with") {
  auto const words = GENERATE(values<std::vector<std::string>>({{"version"}, {"--version"}}));
  auto const s = run(words);
  CHECK(s.code == app::done);
  CHECK(s.out.starts_with("doorward "));
  for (auto const* library : {"Boost ", "hiredis ", "OpenSSL "})
    CHECK(holds(s.out, library));
  CHECK(s.err.empty());
}

TEST_CASE("schema, a JSON Schema and nothing else") {
  auto const s = run({"schema"});
  CHECK(s.code == app::done);
  CHECK(s.out.starts_with("{"));
  CHECK(holds(s.out, "https://json-schema.org/draft/2020-12/schema"));
  CHECK(s.err.empty());
}

TEST_CASE("check, a good file") {
  auto const file = GENERATE(as<std::string>{}, "minimal.yaml", "doorward.yaml");
  auto const s = run({"check", "-c", conf(file)});
  CHECK(s.code == app::done);
  CHECK(s.out == conf(file) + ": good\n");
}

TEST_CASE("check, a bad file: every mistake, with its place") {
  temporary_folder const folder;
  auto const file =
      folder.write("bad.yaml", "rediss: {}\nupstreams: { app: http://127.0.0.1:3000 }\nidentity: { upstream: apq }\n");
  auto const s = run({"check", "-c", file});
  CHECK(s.code == app::bad_configuration);
  CHECK(s.out.empty());
  CHECK(holds(s.err, file + ":1:1: error: "));
  CHECK(holds(s.err, file + ":3:"));
}

TEST_CASE("check, a file with a warning is good, and serve says it too") {
  temporary_folder const folder;
  auto const file = folder.write("slash.yaml", "server: { listen: \"unix:" + folder.file("none/socket") + "\" }\n" +
                                                   good + "  - { path: /never, upstream: app }\n");
  auto const warning =
      file + ":9:13: warning: routes[2].path: no request gets here: the route on line 8 takes all of them\n";
  auto const s = run({"check", "-c", file});
  CHECK(s.code == app::done);
  CHECK(s.out == file + ": good\n");
  CHECK(s.err.starts_with(warning));
  auto const served = run({"serve", "-c", file});
  CHECK(served.code == app::could_not_run);
  CHECK(served.err.starts_with(warning));
}

TEST_CASE("any command that needs it, the file cannot be read") {
  auto const words = GENERATE(values<std::vector<std::string>>({{"check"}, {"serve"}, {"routes"}, {"probe"}}));
  CAPTURE(words);
  temporary_folder const folder;
  struct row {
    std::string file, why;
  };
  for (auto const& [name, why] : std::vector<row>{{folder.file("missing.yaml"), "no such file or directory"},
                                                  {folder.path().string(), "is a directory"}}) {
    auto all = words;
    all.insert(all.end(), {"-c", name});
    auto const s = run(all);
    CHECK(s.code == app::bad_configuration);
    CHECK(s.err == name + ": error: " + why + '\n');
    CHECK(s.out.empty());
  }
}

TEST_CASE("routes, in the order in which they are tried") {
  auto const s = run({"routes", "-c", conf("minimal.yaml")});
  CHECK(s.code == app::done);
  CHECK(s.err.empty());
  auto const file = conf("minimal.yaml");
  CHECK(s.out ==
        "id          path                   host  methods               auth      allow  to               line\n"
        "(login)     /login/**              *     *                     none      -      identity         -\n"
        "(logout)    /logout                *     GET,POST              none      -      doorward itself  -\n"
        "(whoami)    /.doorward/whoami      *     GET,HEAD              passive   -      doorward itself  -\n"
        "(sessions)  /.doorward/sessions    *     GET,HEAD,POST,DELETE  passive   -      doorward itself  -\n"
        "(session)   /.doorward/sessions/*  *     POST,DELETE           passive   -      doorward itself  -\n"
        "(jwks)      /.doorward/jwks        *     GET,HEAD              none      -      doorward itself  -\n"
        "(auth)      /.doorward/auth        *     *                     none      -      doorward itself  -\n"
        "(own)       /.doorward/**          *     *                     none      -      nothing: 404     -\n"
        "/**         /**                    *     *                     required  -      app              " +
            file + ":8\n");
}

TEST_CASE("routes, what each says") {
  temporary_folder const folder;
  auto const file = folder.write("many.yaml", R"(
redis: { url: "redis://127.0.0.1:6379" }
upstreams: { app: http://127.0.0.1:3000 }
identity: { upstream: app }
routes:
  - { id: a, host: "*.example.com", path: /a/**, methods: [GET, POST], upstream: app, strip_prefix: /a,
      allow: { roles: [admin, ops], fields: { plan: [pro] } } }
  - { id: b, path: /b/**, upstream: app, rewrite: /new, auth: optional }
  - { id: c, path: /c, respond: 410, auth: passive }
)");
  auto const s = run({"routes", "-c", file});
  CHECK(s.code == app::done);
  for (auto const* part : {"*.example.com", "GET,POST", "role admin|ops, plan=pro", "app (without /a)", "app (as /new)",
                           "respond 410", "optional", "passive"}) {
    CAPTURE(part);
    CHECK(holds(s.out, part));
  }
}

TEST_CASE("explain, a request that goes through, and one that does not") {
  temporary_folder const folder;
  auto const file = folder.write("good.yaml", good);
  auto const forwarded =
      run({"explain", "-c", file, "GET", "http://example.com/public/x?y", "--header", "X-User-Id: 1"});
  CHECK(forwarded.code == app::done);
  CHECK(holds(forwarded.out, "/public/x"));
  CHECK(holds(forwarded.out, "forward to app"));
  CHECK(holds(forwarded.out, "X-User-Id"));
  auto const refused = run({"explain", "-c", file, "GET", "/private"});
  CHECK(refused.code == app::done);
  CHECK(holds(refused.out, "401 no_session"));
}

TEST_CASE("serve, the port is taken") {
  temporary_folder const folder;
  std::uint16_t port = 0;
  auto const other = doorward::test::tcp_listener(port);
  auto const file =
      folder.write("good.yaml", "server: { listen: \"127.0.0.1:" + std::to_string(port) + "\" }\n" + good);
  auto const s = run({"serve", "-c", file});
  CHECK(s.code == app::could_not_run);
  CHECK(holds(s.err, "cannot listen on 127.0.0.1:" + std::to_string(port)));
}

TEST_CASE("serve, nobody knows the host") {
  temporary_folder const folder;
  // Longer than a label may be (RFC 1035 section 2.3.4), so that nobody is asked.
  auto const nowhere = std::string(64, 'a') + ":80";
  auto const listeners = GENERATE(as<std::string>{}, "server: { listen: \"NOWHERE\" }\n",
                                  "server: { listen: \"127.0.0.1:0\" }\nadmin: { listen: \"NOWHERE\" }\n");
  auto text = listeners + good;
  text.replace(text.find("NOWHERE"), 7, nowhere);
  auto const file = folder.write("good.yaml", text);
  CHECK(run({"check", "-c", file}).code == app::done);
  auto const s = run({"serve", "-c", file});
  CHECK(s.code == app::could_not_run);
  CHECK(s.err == "doorward: cannot listen on " + nowhere + ": host not found\n");
}

TEST_CASE("probe, nobody answers") {
  temporary_folder const folder;
  std::uint16_t port = 0;
  auto const bound = doorward::test::tcp_listener(port, -1);
  auto const url = "http://127.0.0.1:" + std::to_string(port) + "/livez";
  auto const by_url = run({"probe", "--url", url});
  CHECK(by_url.code == app::could_not_run);
  CHECK(holds(by_url.err, url));
  auto const on = folder.write("on.yaml", "admin: { listen: \"127.0.0.1:" + std::to_string(port) + "\" }\n" + good);
  auto const by_file = run({"probe", "-c", on});
  CHECK(by_file.code == app::could_not_run);
  CHECK(holds(by_file.err, url));
  auto const off = folder.write("off.yaml", "admin: { listen: \"\" }\n" + good);
  CHECK(run({"probe", "-c", off}).code == app::could_not_run);
}
