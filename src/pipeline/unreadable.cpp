#include "pipeline/unreadable.hpp"

#include "doorward/config/words.hpp"

namespace doorward::pipeline {

void note_unreadable(exchange& x, session::outcome what, session::likeness looks) {
  if (what != session::outcome::malformed && what != session::outcome::wrong_type) return;
  x.looks_like = looks;
  if (x.dry_run) return;
  auto const encoding = x.view().config.session.encoding;
  auto const looks_like =
      what == session::outcome::wrong_type ? std::string_view("a key of another type") : session::describe(looks);
  x.worker.limiter.write(x.worker.wheel.now(), obs::log::level::warn, "session_undecodable",
                         {{"encoding", config::word_for(encoding)},
                          {"looks_like", looks_like},
                          {"hint", session::hint_for(encoding, what, looks)},
                          {"worker", x.worker.number}});
}

}  // namespace doorward::pipeline
