#include <hiredis/hiredis.h>
#include <openssl/crypto.h>

#include <boost/version.hpp>
#include <string>

#include "app/commands.hpp"

namespace doorward::app {

std::string version_number() {
  return DOORWARD_VERSION;
}

std::string version_text() {
  return "doorward " + version_number() + "\nBoost " + std::to_string(BOOST_VERSION / 100000) + '.' +
         std::to_string(BOOST_VERSION / 100 % 1000) + ", hiredis " + std::to_string(HIREDIS_MAJOR) + '.' +
         std::to_string(HIREDIS_MINOR) + '.' + std::to_string(HIREDIS_PATCH) + ", " + OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace doorward::app
