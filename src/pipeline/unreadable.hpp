#pragma once

#include "doorward/pipeline/exchange.hpp"

namespace doorward::pipeline {

/// A look-up came to a record that `session.encoding` does not mean: says so in the log, with what to do, once in ten
/// seconds and worker, and remembers it for `explain`. Nothing of the record, the key or the id is told.
void note_unreadable(exchange& x, session::outcome what, session::likeness looks);

}  // namespace doorward::pipeline
