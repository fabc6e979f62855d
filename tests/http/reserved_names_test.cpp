#include "doorward/http/reserved_names.hpp"

#include "catch.hpp"

using doorward::http::fold_field_name;
using doorward::http::is_forwarding_name;
using doorward::http::reserved_names;

TEST_CASE("an identity header is known under every spelling a server might fold") {
  reserved_names const names({"X-User-Id", "Remote-User", "X_Legacy_Name"});
  for (auto const* name : {"X-User-Id", "x-user-id", "X-USER-ID", "X_User_Id", "x-user_id", "Remote-User",
                           "remote_user", "REMOTE_USER", "X-Legacy-Name", "x_legacy_name", "X.User.Id", "X-User~Id",
                           "remote!user", "Doorward-Grant", "doorward-anything", "DOORWARD_GRANT_OPTIONS"}) {
    INFO(name);
    CHECK(names.contains(name));
  }
}

TEST_CASE("folding leaves letters in lower case, digits, and one sign for all else") {
  CHECK(fold_field_name("X-User_Id.2") == "x-user-id-2");
  CHECK(fold_field_name("!#$%&'*+^`|~") == "------------");
  CHECK(fold_field_name("") == "");
}

TEST_CASE("other names are not reserved") {
  reserved_names const names({"X-User-Id", "Remote-User"});
  for (auto const* name : {"", "X-User-Ids", "X-User", "User-Id", "Remote-Users", "Doorward", "Door-Ward-Grant", "Date",
                           "Host", "X-User-Ie"}) {
    INFO(name);
    CHECK_FALSE(names.contains(name));
  }
}

TEST_CASE("very long names are compared too") {
  reserved_names const names({std::string(80, 'x')});
  CHECK(names.contains(std::string(80, 'X')));
  CHECK_FALSE(names.contains(std::string(81, 'X')));
}

TEST_CASE("what only a trusted proxy may say is known by name") {
  for (auto const* name : {"Forwarded", "X-Forwarded-For", "x-forwarded-anything", "X_Forwarded_Proto", "X-Real-IP",
                           "X-Original-URL", "X-Rewrite-Url", "True-Client-IP", "X-Client-Ip", "X-Cluster-Client-IP"}) {
    INFO(name);
    CHECK(is_forwarding_name(name));
  }
  for (auto const* name : {"", "Forward", "X-Forward", "X-Real-IPs", "Truth", "Accept", "X-Requested-With"}) {
    INFO(name);
    CHECK_FALSE(is_forwarding_name(name));
  }
}
