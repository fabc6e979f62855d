#include "app/session_command.hpp"

#include <algorithm>
#include <istream>
#include <ostream>

#include "app/redis_call.hpp"
#include "app/session_table.hpp"
#include "doorward/admin/session_json.hpp"
#include "doorward/app/cli.hpp"
#include "doorward/base/errc.hpp"
#include "doorward/config/words.hpp"
#include "doorward/http/cookies.hpp"
#include "doorward/runtime/snapshot.hpp"
#include "doorward/session/everybody.hpp"
#include "doorward/session/foreign_reader.hpp"
#include "doorward/session/key.hpp"

namespace doorward::app {
namespace {

using action = session_request::action;
using session::outcome;

/// One run of the command.
class runner {
public:
  runner(config::model const& m, session_request const& r, console& c)
      : config_(m), request_(r), console_(c), redis_(m) {}

  int run() {
    std::string id;
    if (!session::is_own(config_.session.encoding) && !request_.id_from_stdin) return fail(no_index());
    if (request_.id_from_stdin && !read_id(id)) return could_not_run;
    if (!redis_.connect()) return fail(redis_.why());
    switch (request_.what) {
      case action::list: return list();
      case action::show: return request_.id_from_stdin ? show(session::key_of(config_.session, id)) : show_listed();
      case action::revoke:
        if (request_.all_users) return end_everybody();
        return request_.handle.empty() ? end_user() : end_listed();
      case action::none: break;
    }
    return bad_usage;
  }

private:
  int fail(std::string_view why) {
    console_.errors << "doorward: " << why << '\n';
    return could_not_run;
  }
  int fail(error_code const& ec) { return fail(redis_.why(ec)); }
  int no_such_session() { return fail("user `" + for_terminal(request_.user) + "` has no such session"); }

  [[nodiscard]] bool wants_table() const {
    using format = session_request::format;
    return request_.how == format::table || (request_.how == format::automatic && console_.person_reads);
  }

  int say(std::string_view json, std::string_view table) {
    console_.out << (wants_table() ? table : json);
    console_.out.flush();
    return console_.out ? done : could_not_run;
  }
  int say_ended(std::optional<std::string_view> user, std::uint64_t n) {
    auto const whose = user ? " of user `" + for_terminal(*user) + "`" : std::string{};
    auto const words = n == 0 ? "no sessions" + whose + ": nothing was ended"
                              : "ended " + std::to_string(n) + (n == 1 ? " session" : " sessions") + whose;
    return say(admin::ended_json(user, n), words + '\n');
  }

  // An id, or a cookie's value with an id in it. Never said again, whether it is one or not.
  bool read_id(std::string& id) {
    using trouble = http::signature_trouble;
    constexpr std::size_t longest_line = 1024;
    std::string line;
    for (char c = 0; line.size() < longest_line && console_.in.get(c) && c != '\n';)
      line += c;
    while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
      line.pop_back();
    if (auto const encoded = runtime::encoded_ids_of(config_.session.cookie); encoded.on()) {
      if (!encoded.id_in(line, id) && http::is_session_id(line)) id = line;
      if (!id.empty()) return true;
      fail(
          "the first line on standard input is neither a session id nor a cookie's value as session.cookie.codec says");
      return false;
    }
    auto const ids = runtime::signed_ids_of(config_.session.cookie);
    auto const found = ids.find_trouble(line);
    id = found == trouble::missing ? line : ids.id_in(line);
    if (!id.empty()) return true;
    fail(found == trouble::malformed
             ? "the first line on standard input is no session id: those are 16 to 256 of A-Z a-z 0-9 . _ ~ -"
             : "the first line on standard input has a signature, and not one of session.cookie.keys");
    return false;
  }

  int list() {
    auto const all = redis_.run(redis_.store().list(request_.user));
    if (!all) return fail(all.error());
    auto const none = "user `" + for_terminal(request_.user) + "` has no sessions\n";
    auto table = all->empty() ? none : session_table(*all);
    if (all->size() == session::store::most_listed) table += "(there may be more: these are the ones seen last)\n";
    return say(admin::sessions_json(request_.user, *all), table);
  }

  // The key of the session that the handle names; empty, and told, when there is none.
  std::string key_of_handle(int& exit_code) {
    auto all = redis_.run(redis_.store().list(request_.user));
    if (!all) {
      exit_code = fail(all.error());
      return {};
    }
    auto const it = std::ranges::find(*all, request_.handle, &session::listed_session::handle);
    if (it != all->end()) return std::move(it->key);
    exit_code = no_such_session();
    return {};
  }

  int show_listed() {
    int exit_code = done;
    auto key = key_of_handle(exit_code);
    return key.empty() ? exit_code : show(std::move(key));
  }

  int show(std::string key) {
    auto const fields = runtime::custom_fields(config_);
    auto const found = redis_.run(session::read_details(redis_.client(), config_.session, std::move(key), fields));
    if (!found) return fail(found.error());
    switch (found->what) {
      case outcome::displaced: return fail("that session was ended by a later login of its user");
      case outcome::revoked: return fail("that session was revoked");
      case outcome::absent: return fail("there is no such session");
      case outcome::wrong_type:
      case outcome::malformed:
        if (!session::is_own(config_.session.encoding)) return fail(unreadable());
        [[fallthrough]];
      case outcome::ghost:
      case outcome::unavailable: return fail("what is there is no session: it names no user");
      case outcome::expired:
        if (found->user.empty()) return fail("that session has ended: its time was over");
        break;
      case outcome::found: break;
    }
    return say(admin::details_json(*found), session_sheet(*found));
  }

  int end_user() {
    auto const ended = redis_.run(redis_.store().end_user(request_.user));
    return ended ? say_ended(request_.user, *ended) : fail(ended.error());
  }

  int end_listed() {
    int exit_code = done;
    auto key = key_of_handle(exit_code);
    if (key.empty()) return exit_code;
    auto const ended = redis_.run(redis_.store().revoke(request_.user, std::move(key)));
    if (!ended) return fail(ended.error());
    return *ended == 0 ? no_such_session() : say_ended(request_.user, *ended);
  }

  // In steps of some hundred keys, so that logins and requests find their turn in between.
  int end_everybody() {
    std::uint64_t ended = 0;
    std::string cursor = "0";
    do {
      auto step = redis_.run(session::end_some(redis_.client(), config_.session, cursor));
      if (!step) {
        if (ended > 0) fail("ended " + std::to_string(ended) + " sessions, and not the others; run it again");
        return fail(step.error());
      }
      if (step->refused) return fail(may_not_scan());
      ended += step->ended;
      cursor = std::move(step->next);
    } while (cursor != "0");
    return say_ended(std::nullopt, ended);
  }

  [[nodiscard]] std::string encoding() const {
    return "session.encoding: " + std::string(config::word_for(config_.session.encoding));
  }
  [[nodiscard]] std::string unreadable() const {
    return "what is there cannot be read as " + encoding() + "; `doorward explain` says what it looks like";
  }
  [[nodiscard]] std::string no_index() const {
    return "sessions that another program writes (" + encoding() +
           ") are in no index, so nobody knows which are a user's; there is `session show --id-stdin`, and the program "
           "itself";
  }

  [[nodiscard]] std::string may_not_scan() const {
    auto const& user = config_.redis.username;
    return "Redis does not let the user `" + (user.empty() ? "default" : user) +
           "` SCAN, which finding everybody's sessions needs. A gateway need not have it: run this as an ACL user with "
           "+scan (docs/redis.md, \"Permissions\")";
  }

  config::model const& config_;
  session_request const& request_;
  console& console_;
  redis_call redis_;
};

}  // namespace

int run_session_command(config::model const& m, session_request const& r, console& c) {
  return runner(m, r, c).run();
}

}  // namespace doorward::app
