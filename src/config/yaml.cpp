// The only file that sees yaml-cpp. It is used for its events: each carries a mark, which its node tree drops for keys.
#include "config/yaml.hpp"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <utility>

#include "config/source.hpp"

namespace doorward::config {
namespace {

// Leaves yaml-cpp from inside an event: the text cannot be read on.
struct refusal {
  position where;
  std::string text;
  std::string suggestion;
};

class tree_builder final : public YAML::EventHandler {
public:
  tree_builder(std::string_view text, problem_list& problems) : text_(text), problems_(problems) {}

  [[nodiscard]] std::optional<node> take() { return std::move(root_); }
  [[nodiscard]] std::optional<std::size_t> last_quoted() const noexcept { return last_quoted_; }

  void OnDocumentStart(YAML::Mark const& mark) override {
    if (documents_++ > 0) {
      auto const where = place(mark);
      bool const marker = text_.substr(start_of(mark), 3) == "---";
      throw refusal{where, "only one YAML document may stand in the file", marker ? "remove the `---`" : ""};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(YAML::Mark const& mark, YAML::anchor_t anchor) override { add(begin(node::kind::null, mark), anchor); }

  void OnScalar(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                std::string const& value) override {
    check_tag(tag, mark, tag == "tag:yaml.org,2002:str");
    auto n = begin(node::kind::scalar, mark);
    n.text = value;
    auto const size = 1 + value.size() / bytes_a_node;
    count(size - 1, n.where);
    auto start = start_of(mark);
    bool const quoted = start < text_.size() && (text_[start] == '"' || text_[start] == '\'');
    if (quoted) last_quoted_ = start++;
    n.verbatim =
        text_.substr(std::min(start, text_.size()), value.size()) == value && value.find('\n') == std::string::npos;
    if (n.verbatim) n.text_where = place(start);
    add(std::move(n), anchor, size);
  }

  void OnSequenceStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(node::kind::sequence, mark, tag, anchor);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(node::kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { close(); }

  void OnAlias(YAML::Mark const& mark, YAML::anchor_t anchor) override {
    auto const found = anchored_.find(anchor);
    if (found == anchored_.end()) throw refusal{place(mark), "this alias stands inside the value it names", {}};
    auto const& [value, size, height] = found->second;
    count(size, place(mark));
    if (open_.size() + height > max_depth) throw too_deep(place(mark));
    add(value, 0, size, height);
  }

private:
  // A long text counts for several nodes, so that many aliases of one cannot fill the memory either.
  static constexpr std::size_t bytes_a_node = 256;

  struct finished {
    node value;
    std::size_t size = 1;    // as counted against max_nodes
    std::size_t height = 1;  // levels
  };
  struct level {
    node value;
    YAML::anchor_t anchor = 0;
    std::size_t size = 1;
    std::size_t height = 1;
    bool has_key = false;  // of a mapping: the next node is the value of `key`
    bool skip = false;     // of a mapping: the value belongs to a key that was refused
    std::string key;
    position key_where;
  };

  static refusal too_deep(position where) {
    return {where, fmt::format("nested more than {} levels deep", max_depth), {}};
  }

  // Marks come in file order but for a few, so the column is counted on from the last one instead of from the start of
  // the line: a file that is one long line stays linear.
  position place(std::size_t offset) {
    offset = std::min(offset, text_.size());
    if (offset < seen_offset_) return position_of(text_, offset);
    for (; seen_offset_ < offset; ++seen_offset_) {
      char const c = text_[seen_offset_];
      if (c == '\n') {
        seen_ = {seen_.line + 1, 1};
      } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
        ++seen_.column;
      }
    }
    return seen_;
  }
  position place(YAML::Mark const& mark) { return place(static_cast<std::size_t>(std::max(mark.pos, 0))); }

  // A node's mark is that of its anchor or tag, where it has one.
  std::size_t start_of(YAML::Mark const& mark) const {
    auto at = static_cast<std::size_t>(std::max(mark.pos, 0));
    while (at < text_.size() && (text_[at] == '&' || text_[at] == '!')) {
      at = std::min(text_.find_first_of(" \t\r\n", at), text_.size());
      at = std::min(text_.find_first_not_of(" \t\r\n", at), text_.size());
    }
    return at;
  }

  void count(std::size_t nodes, position where) {
    nodes_ += nodes;
    if (nodes_ > max_nodes) throw refusal{where, fmt::format("more than {} values (aliases expanded)", max_nodes), {}};
  }

  node begin(node::kind kind, YAML::Mark const& mark) {
    node n;
    n.type = kind;
    n.where = place(kind == node::kind::null ? static_cast<std::size_t>(std::max(mark.pos, 0)) : start_of(mark));
    count(1, n.where);
    return n;
  }

  void check_tag(std::string const& tag, YAML::Mark const& mark, bool harmless = false) {
    if (tag.empty() || tag == "?" || tag == "!" || harmless) return;
    problems_.error(place(mark), path(), "YAML tags are not used here", "leave the `!...` out");
  }

  void open(node::kind kind, YAML::Mark const& mark, std::string const& tag, YAML::anchor_t anchor) {
    check_tag(tag, mark);
    level l;
    l.value = begin(kind, mark);
    l.anchor = anchor;
    if (open_.size() >= max_depth) throw too_deep(l.value.where);
    open_.push_back(std::move(l));
  }

  void close() {
    level done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.value), done.anchor, done.size, done.height);
  }

  void add(node n, YAML::anchor_t anchor, std::size_t size = 1, std::size_t height = 1) {
    if (anchor != 0) {
      count(size, n.where);  // the copy kept for its aliases
      anchored_[anchor] = {n, size, height};
    }
    if (open_.empty()) {
      root_ = std::move(n);
      return;
    }
    auto& parent = open_.back();
    parent.size += size;
    parent.height = std::max(parent.height, height + 1);
    if (parent.value.type == node::kind::sequence) {
      parent.value.items.push_back(std::move(n));
    } else if (!parent.has_key) {
      take_key(parent, n);
    } else {
      parent.has_key = false;
      if (!parent.skip) parent.value.members.push_back({parent.key, parent.key_where, std::move(n)});
    }
  }

  void take_key(level& parent, node const& key) {
    parent.has_key = true;
    parent.key = key.text;
    parent.key_where = key.where;
    parent.skip = true;
    if (key.type != node::kind::scalar) {
      problems_.error(key.where, path(), fmt::format("a key must be a name, not {}", name_of(key.type)));
    } else if (key.text == "<<") {
      problems_.error(key.where, path(), "merge keys (`<<`) are not used here", "write the keys out");
    } else if (auto const* first = keys_of(parent, key.text)) {
      problems_.error(key.where, path(), fmt::format("this key is given twice; first on line {}", first->line));
    } else {
      parent.skip = false;
    }
  }

  // Also remembers the key. A map per level, so that a file of one wide mapping is not searched again and again.
  position const* keys_of(level const& parent, std::string const& key) {
    auto& known = keys_[open_.size()];
    if (parent.value.members.empty()) known.clear();
    auto const [at, fresh] = known.emplace(key, parent.key_where);
    return fresh ? nullptr : &at->second;
  }

  [[nodiscard]] std::string path() const {
    std::string out;
    for (auto const& l : open_) {
      if (l.value.type == node::kind::sequence) {
        out += fmt::format("[{}]", l.value.items.size());
      } else if (l.has_key && !l.key.empty()) {
        if (!out.empty()) out += '.';
        out += l.key.substr(0, 64);
      }
    }
    return out;
  }

  std::string_view text_;
  problem_list& problems_;
  std::optional<node> root_;
  std::vector<level> open_;
  std::array<std::map<std::string, position>, max_depth + 1> keys_;
  std::map<YAML::anchor_t, finished> anchored_;
  std::optional<std::size_t> last_quoted_;
  std::size_t documents_ = 0;
  std::size_t nodes_ = 0;
  std::size_t seen_offset_ = 0;
  position seen_{1, 1};
};

// yaml-cpp takes the end of the file for the end of a quoted scalar.
bool closed(std::string_view text, std::size_t quote) {
  for (auto i = quote + 1; i < text.size(); ++i) {
    if (text[quote] == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == text[quote]) {
      bool const doubled = text[quote] == '\'' && i + 1 < text.size() && text[i + 1] == '\'';
      if (!doubled) return true;
      ++i;
    }
  }
  return false;
}

// yaml-cpp's messages, in words that say what to do.
refusal explain(YAML::Exception const& e, std::string_view text) {
  auto const offset = std::min(static_cast<std::size_t>(std::max(e.mark.pos, 0)), text.size());
  auto const where = position_of(text, offset);
  if (offset > 0 && text.substr(offset - 1, 2) == "${") {
    return {position_of(text, offset - 1), "inside `{ }` and `[ ]`, YAML takes the brace of `${` for its own",
            "put quotes around the value"};
  }
  auto const line = line_of(text, where.line);
  auto const indent = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  if (auto const tab = indent.find('\t'); tab != std::string_view::npos) {
    return {{where.line, tab + 1}, "a tab cannot indent YAML", "use spaces"};
  }
  struct translation {
    std::string_view from, text, suggestion;
  };
  static constexpr std::array<translation, 9> known{{
      {"illegal map value", "a `key: value` cannot begin here", "put quotes around a value that holds `: `"},
      {"end of map not found", "this line is neither a key of the mapping before it nor indented below it", ""},
      {"end of map flow not found", "a `{` before this is not closed", ""},
      {"end of sequence not found", "this line is not an item of the list before it", ""},
      {"end of sequence flow not found", "a `[` before this is not closed", ""},
      {"the referenced anchor is not defined", "no anchor of this name stands before it",
       "put quotes around a value that begins with `*`"},
      {"unknown token", "a value cannot begin with this character", "put quotes around it"},
      {"bad file", "nested too deeply", ""},
      {"block sequence entries are not allowed in this context", "a list cannot begin here", ""},
  }};
  for (auto const& t : known) {
    if (e.msg == t.from) return {where, std::string{t.text}, std::string{t.suggestion}};
  }
  return {where, "not YAML: " + e.msg, {}};
}

std::optional<refusal> build(std::string_view text, tree_builder& builder) {
  std::optional<refusal> failure;
  try {
    std::istringstream in{std::string{text}};
    YAML::Parser parser{in};
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (refusal const& r) {
    return r;
  } catch (YAML::Exception const& e) {
    failure = explain(e, text);
  }
  if (auto const quote = builder.last_quoted(); quote && !closed(text, *quote)) {
    return refusal{position_of(text, *quote), "this quote is never closed", {}};
  }
  return failure;
}

}  // namespace

std::optional<node> parse_yaml(std::string_view text, problem_list& problems) {
  if (text.size() > max_file_bytes) {
    problems.error({1, 1}, {}, fmt::format("larger than {} KiB", max_file_bytes / 1024));
    return std::nullopt;
  }
  if (auto const bad = find_bad_byte(text)) {
    problems.error(position_of(text, *bad), {}, "not UTF-8 text: this byte cannot stand in the file");
    return std::nullopt;
  }
  tree_builder builder{text, problems};
  if (auto const failure = build(text, builder)) {
    problems.error(failure->where, {}, failure->text, failure->suggestion);
    return std::nullopt;
  }
  auto root = builder.take();
  if (!root) problems.error({1, 1}, {}, "the file is empty", "docs/configuration.md begins with the smallest one");
  return root;
}

}  // namespace doorward::config
