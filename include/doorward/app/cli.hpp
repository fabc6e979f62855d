#pragma once

/// The command line.
namespace doorward::app {

/// Exit codes.
inline constexpr int done = 0;
inline constexpr int could_not_run = 1;
inline constexpr int bad_usage = 2;
inline constexpr int bad_configuration = 78;  // EX_CONFIG of sysexits.h

/// Runs the program; the result is its exit code.
[[nodiscard]] int run(int argc, char** argv);

}  // namespace doorward::app
