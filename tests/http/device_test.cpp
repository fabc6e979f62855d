#include "doorward/http/device.hpp"

#include "catch.hpp"

using doorward::http::device_class;
using doorward::http::device_name;

TEST_CASE("what a User-Agent is called") {
  struct row {
    char const *agent, *name;
  };
  for (auto const& [agent, name] : {
           row{"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "Firefox on Linux"},
           row{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
               "Safari/537.36 Edg/120.0.0.0",
               "Edge on Windows"},
           row{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
               "Safari/605.1.15",
               "Safari on macOS"},
           row{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
               "CriOS/120.0 Mobile/15E148 Safari/604.1",
               "Chrome on iPhone"},
           row{"Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile "
               "Safari/537.36",
               "Chrome on Android"},
           row{"curl/7.88.1", "curl"},
           row{"python-requests/2.28.1", "python-requests"},
           row{"<script>alert(1)</script>", ""},
           row{"Firefox/ <b>", "Firefox"},
           row{"", ""},
       }) {
    CAPTURE(agent);
    CHECK(device_name(agent) == name);
  }
  CHECK(device_name("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz/1").size() == 32);
}

TEST_CASE("what class of device a User-Agent says it is") {
  struct row {
    char const *agent, *name;
  };
  for (auto const& [agent, name] : {
           row{"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0", "computer"},
           row{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
               "Safari/537.36",
               "computer"},
           row{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 "
               "Safari/605.1.15",
               "computer"},
           row{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36", "computer"},
           row{"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
               "CriOS/120.0 Mobile/15E148 Safari/604.1",
               "phone"},
           row{"Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile "
               "Safari/537.36",
               "phone"},
           row{"Mozilla/5.0 (Android 14; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", "phone"},
           row{"Mozilla/5.0 (Linux; Android 14; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 "
               "Safari/537.36",
               "tablet"},
           row{"Mozilla/5.0 (Android 14; Tablet; rv:120.0) Gecko/120.0 Firefox/120.0", "tablet"},
           row{"Mozilla/5.0 (iPad; CPU OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 "
               "Mobile/15E148 Safari/604.1",
               "tablet"},
           row{"Mozilla/5.0 (SMART-TV; Linux; Tizen 6.0) AppleWebKit/537.36", "other"},
           row{"notes-app/3.1 (iPhone; iOS 17.1)", "phone"},
           row{"curl/7.88.1", "other"},
           row{"", "other"},
       }) {
    CAPTURE(agent);
    CHECK(device_class(agent) == name);
  }
}
