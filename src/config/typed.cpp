#include "config/typed.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/scalars.hpp"
#include "config/suggest.hpp"

namespace doorward::config {
namespace {

// "one of `a`, `b` or `c` is expected here", with those to come left out.
std::string expected_choice(description const& d) {
  return fmt::format("{}{} is expected here", d.choices.size() > 1 ? "one of " : "", enumerate(d.choices, "or"));
}

bool within(description const& d, double value) {
  return value >= d.least.value_or(value) && value <= d.most.value_or(value);
}

// A key whose feature is not there yet may say no more than that it is off.
void read_later(key const& k, reader& r, node::member const& m) {
  bool off = true;
  switch (m.value.type) {
    case node::kind::null: break;
    case node::kind::sequence: off = m.value.items.empty(); break;
    case node::kind::mapping: off = m.value.members.empty(); break;
    case node::kind::scalar: {
      auto const written = r.text(m.value, "a value");
      off = !written || written->empty() || *written == k.fallback;
      break;
    }
  }
  if (off) return;
  r.error(m.where, not_available_yet,
          k.fallback.empty() ? "leave the key out for now" : fmt::format("write `{}` for now", k.fallback));
}

void read_member(description const& d, reader& r, node::member const& m, void* owner) {
  auto const inside = r.enter(m);
  auto const found = std::find_if(d.keys.begin(), d.keys.end(), [&](key const& k) { return k.name == m.key; });
  if (found == d.keys.end()) {
    std::vector<std::string> names;
    for (auto const& k : d.keys)
      names.push_back(k.name);
    return r.error(m.where, "unknown key", suggest(m.key, names));
  }
  if (found->later) return read_later(*found, r, m);
  found->value.read(found->value, r, m.value, found->place(owner));
}

}  // namespace

std::optional<std::int64_t> read_integer(description const& d, reader& r, node const& n) {
  auto const range = fmt::format("a whole number from {:.0f} to {:.0f}", *d.least, *d.most);
  return r.value<std::int64_t>(n, range, [&](std::string_view written) -> parsed<std::int64_t> {
    auto const value = parse_integer(written);
    auto const* number = std::get_if<std::int64_t>(&value);
    if (number && within(d, static_cast<double>(*number))) return *number;
    return complaint{range + " is expected here"};
  });
}

std::optional<std::int64_t> read_duration(description const& d, reader& r, node const& n) {
  return r.value<std::int64_t>(n, "a duration", [&](std::string_view written) -> parsed<std::int64_t> {
    auto const value = parse_duration(written);
    if (auto const* wrong = std::get_if<complaint>(&value)) return *wrong;
    auto const count = std::get_if<milliseconds>(&value)->count();
    if (within(d, static_cast<double>(count))) return count;
    auto const bound = [](double ms) { return duration_text(milliseconds{static_cast<std::int64_t>(ms)}); };
    return complaint{fmt::format("must be from {} to {}", bound(*d.least), bound(*d.most))};
  });
}

std::optional<std::uint64_t> read_size(description const& d, reader& r, node const& n) {
  return r.value<std::uint64_t>(n, "a size", [&](std::string_view written) -> parsed<std::uint64_t> {
    auto value = parse_size(written);
    auto const* bytes = std::get_if<std::uint64_t>(&value);
    if (!bytes || within(d, static_cast<double>(*bytes))) return value;
    auto const bound = [](double size) { return size_text(static_cast<std::uint64_t>(size)); };
    return complaint{fmt::format("must be from {} to {}", bound(*d.least), bound(*d.most))};
  });
}

std::optional<std::size_t> read_choice(description const& d, reader& r, node const& n) {
  auto const all = expected_choice(d);
  return r.value<std::size_t>(n, enumerate(d.choices, "or"), [&](std::string_view written) -> parsed<std::size_t> {
    auto const found = std::find(d.choices.begin(), d.choices.end(), written);
    if (found != d.choices.end()) return static_cast<std::size_t>(found - d.choices.begin());
    if (std::find(d.later_choices.begin(), d.later_choices.end(), written) != d.later_choices.end()) {
      return complaint{not_available_yet, "use " + enumerate(d.choices, "or") + " for now"};
    }
    auto const near = nearest(written, d.choices);
    return complaint{all, near ? "did you mean `" + *near + "`?" : ""};
  });
}

void read_mapping(description const& d, reader& r, node const& n, void* owner) {
  if (!r.expect(node::kind::mapping, n, "a mapping") && n.type != node::kind::null) return;
  for (auto const& m : n.members)
    read_member(d, r, m, owner);
  auto const where = r.path().empty() ? position{1, 1} : r.seen().find(r.path())->key;
  for (auto const& k : d.keys) {
    if (k.needed && n.find(k.name) == nullptr) r.error_at(join(r.path(), k.name), where, "this key is required");
  }
  if (d.one_of.empty()) return;
  auto const given =
      std::count_if(d.one_of.begin(), d.one_of.end(), [&](std::string const& name) { return n.find(name) != nullptr; });
  if (given != 1) {
    r.error(where, fmt::format("exactly one of {} is required", enumerate(d.one_of, "and")));
  }
}

typed<bool> boolean() {
  typed<bool> d;
  d.type = description::kind::boolean;
  d.name = "boolean";
  d.read = [](description const&, reader& r, node const& n, void* into) {
    auto const v = r.value<bool>(n, "`true` or `false`", [](std::string_view written) -> parsed<bool> {
      if (written == "true") return true;
      if (written == "false") return false;
      static std::vector<std::pair<std::string_view, std::string_view>> const habits{
          {"yes", "true"}, {"on", "true"},   {"1", "true"},  {"True", "true"},   {"TRUE", "true"},
          {"no", "false"}, {"off", "false"}, {"0", "false"}, {"False", "false"}, {"FALSE", "false"}};
      for (auto const& [habit, meant] : habits) {
        if (habit == written) return complaint{"`true` or `false` is expected here", fmt::format("write `{}`", meant)};
      }
      return complaint{"`true` or `false` is expected here"};
    });
    if (v) *static_cast<bool*>(into) = *v;
  };
  return d;
}

typed<double> number(double least, double most) {
  typed<double> d;
  d.type = description::kind::number;
  d.name = "number";
  d.least = least;
  d.most = most;
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    auto const range = fmt::format("a number from {} to {}", *self.least, *self.most);
    auto const v = r.value<double>(n, range, [&](std::string_view written) -> parsed<double> {
      auto const value = parse_number(written);
      auto const* got = std::get_if<double>(&value);
      if (got && within(self, *got)) return *got;
      return complaint{range + " is expected here"};
    });
    if (v) *static_cast<double*>(into) = *v;
  };
  return d;
}

std::string with_article(std::string_view noun) {
  bool const vowel = !noun.empty() && std::string_view{"aeiouAEIOU"}.find(noun.front()) != std::string_view::npos;
  return fmt::format("{} {}", vowel ? "an" : "a", noun);
}

typed<std::string> any_text(std::string name) {
  return text(std::move(name), {}, [](std::string_view) { return std::optional<complaint>{}; });
}

typed<file_text> file() {
  typed<file_text> d;
  d.name = "file";
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    auto& to = *static_cast<file_text*>(into);
    auto const written = r.text(n, with_article(self.name));
    if (!written || written->empty()) return;
    auto const found = r.base() / *written;
    // Whoever takes a key from outside where a file's name belongs must not find it in the message.
    auto const shown = r.external() ? std::string_view("${...}") : std::string_view(*written);
    auto content = read_file(shown, found, max_certificate_file_bytes);
    if (auto const* wrong = std::get_if<complaint>(&content)) return r.complain(n, *wrong);
    to = {*written, found.string(), redacted{*std::get_if<std::string>(&content)}};
  };
  return d;
}

}  // namespace doorward::config
