#include "doorward/http/device.hpp"

#include <array>

namespace doorward::http {
namespace {

struct mark {
  std::string_view text;
  std::string_view name;
};

// In this order: browsers say that they are each other, the one they were made from last.
constexpr std::array browsers{
    mark{"Edg", "Edge"},       mark{"OPR/", "Opera"},     mark{"SamsungBrowser/", "Samsung Internet"},
    mark{"FxiOS/", "Firefox"}, mark{"CriOS/", "Chrome"},  mark{"Firefox/", "Firefox"},
    mark{"Chrome/", "Chrome"}, mark{"Safari/", "Safari"},
};
// Android says that it is Linux, and an iPad that it is like a Mac.
constexpr std::array systems{
    mark{"Android", "Android"}, mark{"iPhone", "iPhone"},  mark{"iPad", "iPad"},   mark{"Windows", "Windows"},
    mark{"CrOS", "ChromeOS"},   mark{"Mac OS X", "macOS"}, mark{"Linux", "Linux"},
};

// In this order. A tablet with Android is what does not say that it is a phone; a crawler that plays one is let.
constexpr std::array classes{
    mark{"iPad", "tablet"},        mark{"Tablet", "tablet"},  mark{"Kindle", "tablet"},    mark{"SMART-TV", "other"},
    mark{"SmartTV", "other"},      mark{"Smart TV", "other"}, mark{"GoogleTV", "other"},   mark{"Android TV", "other"},
    mark{"Apple TV", "other"},     mark{"AppleTV", "other"},  mark{"iPhone", "phone"},     mark{"iPod", "phone"},
    mark{"Mobi", "phone"},         mark{"Android", "tablet"}, mark{"Windows", "computer"}, mark{"CrOS", "computer"},
    mark{"Macintosh", "computer"}, mark{"X11", "computer"},   mark{"Linux", "computer"},
};

template <std::size_t N>
std::string_view first_of(std::array<mark, N> const& marks, std::string_view text) noexcept {
  for (auto const& m : marks)
    if (text.find(m.text) != text.npos) return m.name;
  return {};
}

constexpr bool is_plain(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

// "curl" of "curl/7.88.1".
std::string product(std::string_view agent) {
  constexpr std::size_t longest = 32;
  std::string name;
  for (auto const c : agent) {
    if (!is_plain(c) || name.size() == longest) break;
    name += c;
  }
  return name;
}

}  // namespace

std::string device_name(std::string_view agent) {
  auto const browser = first_of(browsers, agent);
  if (browser.empty()) return product(agent);
  std::string name(browser);
  if (auto const system = first_of(systems, agent); !system.empty()) name.append(" on ").append(system);
  return name;
}

std::string_view device_class(std::string_view agent) noexcept {
  auto const name = first_of(classes, agent);
  return name.empty() ? std::string_view{"other"} : name;
}

}  // namespace doorward::http
