#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "config/complaint.hpp"
#include "config/description.hpp"
#include "config/reader.hpp"
#include "doorward/base/time.hpp"
#include "doorward/config/model.hpp"
#include "doorward/config/words.hpp"

/// The words descriptions are written in. Each is typed by what it is read into, so that a key cannot be tied to a
/// member of another type.
namespace doorward::config {

template <class T>
struct typed : description {};

template <class Owner>
struct key_of : key {
  explicit key_of(key k) : key(std::move(k)) {}

  /// A key of a base is a key of what derives from it.
  template <class Base>
  requires(std::derived_from<Owner, Base> && !std::same_as<Owner, Base>) key_of(key_of<Base> k)
      : key(std::move(static_cast<key&>(k))) {
    place = [inner = std::move(place)](void* owner) { return inner(static_cast<Base*>(static_cast<Owner*>(owner))); };
  }

  [[nodiscard]] key_of required() && {
    needed = true;
    return std::move(*this);
  }
  [[nodiscard]] key_of not_yet() && {
    later = true;
    return std::move(*this);
  }
  [[nodiscard]] key_of without(std::string words) && {
    otherwise = std::move(words);
    return std::move(*this);
  }
};

// The untyped halves: they do the work and leave the value in the widest type.
[[nodiscard]] std::optional<std::int64_t> read_integer(description const& d, reader& r, node const& n);
[[nodiscard]] std::optional<std::int64_t> read_duration(description const& d, reader& r, node const& n);
[[nodiscard]] std::optional<std::uint64_t> read_size(description const& d, reader& r, node const& n);
[[nodiscard]] std::optional<std::size_t> read_choice(description const& d, reader& r, node const& n);
void read_mapping(description const& d, reader& r, node const& n, void* owner);

template <class T, class Owner>
key_of<Owner> field(std::string name, T Owner::*member, std::type_identity_t<typed<T>> value, std::string fallback,
                    std::string doc) {
  key k;
  k.name = std::move(name);
  k.value = std::move(value);
  k.fallback = std::move(fallback);
  k.doc = std::move(doc);
  k.place = [member](void* owner) -> void* { return &(static_cast<Owner*>(owner)->*member); };
  return key_of<Owner>{std::move(k)};
}

/// A mapping of the file whose keys go into the same struct as its own neighbours.
template <class Owner>
key_of<Owner> group(std::string name, typed<Owner> value, std::string doc) {
  key k;
  k.name = std::move(name);
  k.value = std::move(value);
  k.value.read = read_mapping;
  k.doc = std::move(doc);
  k.place = [](void* owner) { return owner; };
  return key_of<Owner>{std::move(k)};
}

/// A key that is checked and goes nowhere: its feature is not there yet.
template <class Owner, class T>
key_of<Owner> unused(std::string name, typed<T> value, std::string fallback, std::string doc) {
  key k;
  k.name = std::move(name);
  k.fallback = std::move(fallback);
  k.doc = std::move(doc);
  k.value = value;
  k.value.read = [read = value.read](description const& self, reader& r, node const& n, void*) {
    T scratch{};
    read(self, r, n, &scratch);
  };
  k.place = [](void*) -> void* { return nullptr; };
  return key_of<Owner>{std::move(k)};
}

/// "a duration", "an address".
[[nodiscard]] std::string with_article(std::string_view noun);

typed<bool> boolean();

template <std::integral T>
typed<T> integer(std::int64_t least, std::int64_t most) {
  typed<T> d;
  d.type = description::kind::integer;
  d.name = "whole number";
  d.least = static_cast<double>(least);
  d.most = static_cast<double>(most);
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if (auto const v = read_integer(self, r, n)) *static_cast<T*>(into) = static_cast<T>(*v);
  };
  return d;
}

typed<double> number(double least, double most);

/// Bounds are inclusive. T is milliseconds, or seconds, in which case a fraction of one is refused.
template <class T>
typed<T> duration(T least, T most) {
  typed<T> d;
  d.type = description::kind::duration;
  d.name = "duration";
  d.least = static_cast<double>(milliseconds{least}.count());
  d.most = static_cast<double>(milliseconds{most}.count());
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    auto const v = read_duration(self, r, n);
    if (!v) return;
    auto const exact = milliseconds{*v};
    auto const rounded = std::chrono::duration_cast<T>(exact);
    if (rounded != exact) return r.complain(n, complaint{"this duration is a whole number of seconds"});
    *static_cast<T*>(into) = rounded;
  };
  return d;
}

template <std::unsigned_integral T>
typed<T> size(std::uint64_t least, std::uint64_t most) {
  typed<T> d;
  d.type = description::kind::size;
  d.name = "size";
  d.least = static_cast<double>(least);
  d.most = static_cast<double>(most);
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if (auto const v = read_size(self, r, n)) *static_cast<T*>(into) = static_cast<T>(*v);
  };
  return d;
}

template <class E>
typed<E> choice(std::vector<std::pair<std::string, E>> options, std::vector<std::string> later = {}) {
  typed<E> d;
  d.type = description::kind::choice;
  d.name = "choice";
  std::vector<E> values;
  for (auto& [word, value] : options) {
    d.choices.push_back(std::move(word));
    values.push_back(value);
  }
  d.later_choices = std::move(later);
  d.read = [values](description const& self, reader& r, node const& n, void* into) {
    if (auto const index = read_choice(self, r, n)) *static_cast<E*>(into) = values[*index];
  };
  return d;
}

/// A choice among all that an enum has words for.
template <class E>
typed<E> choice() {
  std::vector<std::pair<std::string, E>> options;
  options.reserve(std::size(words<E>));
  for (auto const& w : words<E>)
    options.emplace_back(w.text, w.value);
  return choice<E>(std::move(options));
}

/// A text that `parse` (std::string_view -> parsed<T>) turns into a value.
template <class T, class Parse>
typed<T> parsed_text(std::string name, std::string pattern, Parse parse) {
  typed<T> d;
  d.name = std::move(name);
  d.pattern = std::move(pattern);
  d.read = [parse](description const& self, reader& r, node const& n, void* into) {
    if (auto v = r.value<T>(n, with_article(self.name), parse)) *static_cast<T*>(into) = *std::move(v);
  };
  return d;
}

/// Any text `check` (std::string_view -> std::optional<complaint>) has nothing against.
template <class Check>
typed<std::string> text(std::string name, std::string pattern, Check check) {
  return parsed_text<std::string>(std::move(name), std::move(pattern),
                                  [check](std::string_view written) -> parsed<std::string> {
                                    if (auto wrong = check(written)) return *std::move(wrong);
                                    return std::string{written};
                                  });
}
typed<std::string> any_text(std::string name);

/// The name of a file, which is read. An empty name is no file.
typed<file_text> file();

template <class T>
typed<std::optional<T>> maybe(typed<T> inner) {
  typed<std::optional<T>> d;
  static_cast<description&>(d) = std::move(inner);
  d.read = [read = std::move(d.read)](description const& self, reader& r, node const& n, void* into) {
    T& value = static_cast<std::optional<T>*>(into)->emplace();
    read(self, r, n, &value);
  };
  return d;
}

/// `auto` leaves the value as it is and is remembered as such.
template <class T>
typed<T> or_auto(typed<T> inner) {
  typed<T> word;
  word.type = description::kind::choice;
  word.choices = {"auto"};
  typed<T> d;
  d.type = description::kind::either;
  d.name = "`auto` or " + inner.name;
  d.parts = {std::move(word), std::move(inner)};
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if (n.type == node::kind::scalar) {
      auto const written = r.text(n, with_article(self.name));
      if (!written) return;
      if (*written == "auto") return r.seen().set_automatic(r.path());
    }
    self.parts[1].read(self.parts[1], r, n, into);
  };
  return d;
}

template <class T>
typed<T> mapping(std::vector<key_of<T>> keys, std::vector<std::string> one_of = {}) {
  typed<T> d;
  d.type = description::kind::mapping;
  d.name = "mapping";
  for (auto& k : keys)
    d.keys.push_back(std::move(k));
  d.one_of = std::move(one_of);
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    if constexpr (requires(T & t) { t.where; }) static_cast<T*>(into)->where = n.where;
    read_mapping(self, r, n, into);
  };
  return d;
}

template <class T>
typed<std::vector<T>> list(typed<T> item, bool may_be_empty = true) {
  typed<std::vector<T>> d;
  d.type = description::kind::list;
  d.name = "list";
  d.least = may_be_empty ? 0 : 1;
  d.parts = {std::move(item)};
  d.read = [](description const& self, reader& r, node const& n, void* into) {
    auto& out = *static_cast<std::vector<T>*>(into);
    out.clear();
    if (n.type == node::kind::scalar)
      return r.error(n.where, "a list is expected here, not a single value", "put it in `[ ]`");
    if (!r.expect(node::kind::sequence, n, "a list")) return;
    if (n.items.empty() && self.least == 1) return r.error(n.where, "this list must not be empty");
    for (std::size_t i = 0; i < n.items.size(); ++i) {
      auto const inside = r.enter(i, n.items[i]);
      self.parts[0].read(self.parts[0], r, n.items[i], &out.emplace_back());
    }
  };
  return d;
}

/// Names of the file's own choosing. `named(T&, name, position of the name)` puts the name into the item, `value(T&)`
/// is where what stands behind it goes, `check` looks at the name.
template <class T, class Value, class Named, class Get, class Check>
typed<std::vector<T>> dictionary(std::string name_pattern, typed<Value> item, Named named, Get value, Check check) {
  typed<std::vector<T>> d;
  d.type = description::kind::dictionary;
  d.name = "mapping";
  d.pattern = std::move(name_pattern);
  d.parts = {std::move(item)};
  d.read = [named, value, check](description const& self, reader& r, node const& n, void* into) {
    auto& out = *static_cast<std::vector<T>*>(into);
    out.clear();
    if (!r.expect(node::kind::mapping, n, "a mapping")) return;
    for (auto const& m : n.members) {
      auto const inside = r.enter(m);
      std::optional<complaint> const wrong = check(std::string_view{m.key});
      if (wrong) r.error(m.where, wrong->text, wrong->suggestion);
      auto& made = out.emplace_back();
      Value& into_value = value(made);
      self.parts[0].read(self.parts[0], r, m.value, &into_value);
      named(made, m.key, m.where);
    }
  };
  return d;
}

}  // namespace doorward::config
