#include "config/suggest.hpp"

#include <algorithm>

#include "doorward/base/encoding.hpp"

namespace doorward::config {
namespace {

constexpr std::size_t longest_word = 64;  // beyond that it is no misspelling, and the matrix need not be built
constexpr std::size_t few = 16;

// Case and `-` against `_` are what people get wrong first; they cost nothing.
std::string folded(std::string_view word) {
  std::string out;
  for (char const c : word)
    out += c == '-' ? '_' : to_lower(c);
  return out;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment, three rows at a time.
  std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(previous);
    previous.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto const replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({previous[j] + 1, row[j - 1] + 1, replaced});
      bool const swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::optional<std::string> nearest(std::string_view word, std::vector<std::string> const& candidates) {
  if (word.empty() || word.size() > longest_word) return std::nullopt;
  auto const wanted = folded(word);
  std::optional<std::string> best;
  std::size_t best_distance = word.size() <= 3 ? 2 : word.size() <= 6 ? 3 : 4;  // one more than is accepted
  for (auto const& candidate : candidates) {
    if (candidate.size() > longest_word) continue;
    auto const distance = edit_distance(wanted, folded(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string suggest(std::string_view word, std::vector<std::string> const& candidates) {
  if (auto const near = nearest(word, candidates)) return "did you mean `" + *near + "`?";
  if (candidates.empty() || candidates.size() > few) return {};
  return "known here: " + enumerate(candidates, "and");
}

std::string enumerate(std::vector<std::string> const& words, std::string_view last) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " " + std::string{last} + " " : ", ";
    out += "`" + words[i] + "`";
  }
  return out;
}

}  // namespace doorward::config
