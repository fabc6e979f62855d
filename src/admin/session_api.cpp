#include "admin/session_api.hpp"

#include <algorithm>

#include "doorward/admin/session_json.hpp"
#include "doorward/base/errc.hpp"

namespace doorward::admin {
namespace {

constexpr unsigned come_back_in_s = 1;

// That Redis does not answer says nothing about anybody's sessions: never 404, never "done".
response refused(error_code const& ec) {
  auto const& what = about(to_errc(ec));
  if (what.from != origin::store) return problem(500, "internal", "Something went wrong here.");
  auto r = problem(503, what.code, "Redis cannot answer. Nothing is known to have been done; try again.");
  r.retry_after = come_back_in_s;
  return r;
}

response found(std::string json) {
  response r;
  r.body = std::move(json);
  return r;
}

response no_such_session() {
  return problem(404, "not_found", "This user has no such session (any more).");
}

response no_index() {
  return problem(501, "no_index",
                 "Sessions that another program writes (session.encoding) are in no index: nobody knows which are a "
                 "user's. End them in that program.");
}

}  // namespace

session_api::session_api(net::asio::io_context& context, session_access const& access, sources const& from)
    : access_(access),
      from_(from),
      turns_(context),
      redis_(turns_, access_.redis, random_),
      store_(redis_, access_.session) {}

net::task<response> session_api::answer(session_request r, std::string client) {
  auto read = read_session_request(r, access_.token);
  if (auto* wrong = std::get_if<response>(&read)) {
    if (wrong->status == 401)
      limiter_.write(steady::now(), obs::log::level::warn, "admin_token_refused", {{"client", client}});
    co_return std::move(*wrong);
  }
  if (!session::is_own(access_.session.encoding)) co_return no_index();
  auto wish = std::move(std::get<session_wish>(read));
  if (wish.what == session_wish::kind::list) {
    auto all = co_await list(std::move(wish));
    co_return all;
  }
  if (wish.what == session_wish::kind::end_all) {
    auto ended = co_await end_all(std::move(wish), std::move(client));
    co_return ended;
  }
  auto done = co_await one(std::move(wish), std::move(client));
  co_return done;
}

net::task<response> session_api::list(session_wish wish) {
  auto const all = co_await store_.list(wish.user);
  if (!all) co_return refused(all.error());
  co_return found(sessions_json(wish.user, *all));
}

net::task<response> session_api::one(session_wish wish, std::string client) {
  auto const all = co_await store_.list(wish.user);
  if (!all) co_return refused(all.error());
  auto const it = std::ranges::find(*all, wish.handle, &session::listed_session::handle);
  if (it == all->end()) co_return no_such_session();
  if (wish.what == session_wish::kind::show) co_return found(session_json(wish.user, *it));
  auto const ended = co_await store_.revoke(wish.user, it->key);
  if (!ended) co_return refused(ended.error());
  if (*ended == 0) co_return no_such_session();
  note_ended(wish.user, *ended, client);
  co_return found(ended_json(wish.user, *ended));
}

// None is no error: who is logged out already has been logged out (OpenID Connect Back-Channel Logout 1.0,
// section 2.7), and logins that were under way will not be written.
net::task<response> session_api::end_all(session_wish wish, std::string client) {
  auto const ended = co_await store_.end_user(wish.user);
  if (!ended) co_return refused(ended.error());
  note_ended(wish.user, *ended, client);
  co_return found(ended_json(wish.user, *ended));
}

void session_api::note_ended(std::string const& user, std::uint64_t count, std::string const& client) {
  if (from_.sessions_ended) from_.sessions_ended(user, count);
  obs::log::info("sessions_revoked", {{"by", "admin"}, {"client", client}, {"user", user}, {"sessions", count}});
}

}  // namespace doorward::admin
