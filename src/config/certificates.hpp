#pragma once

#include <optional>
#include <string>

#include "config/complaint.hpp"
#include "doorward/config/model.hpp"

namespace doorward::config {

/// What is wrong with a certificate or what belongs to it.
struct certificate_fault {
  std::string_view key;  ///< "cert", "key" or "ocsp": which of the files
  std::string text;
  std::string suggestion;
};

/// "the file `x` holds no certificate in PEM form", unless it does.
[[nodiscard]] std::optional<std::string> find_no_certificate(file_text const& file);

/// Nothing when both can be read and belong together.
[[nodiscard]] std::optional<certificate_fault> find_fault(file_text const& cert, file_text const& key);

/// The same, and that an OCSP response, if there is one, is the certificate's. One that is outdated is no fault: it is
/// not shown.
[[nodiscard]] std::optional<certificate_fault> find_fault(tls_certificate const& c);

/// Puts the names in lower case, and takes those of the certificate where none were given.
void complete_names(std::vector<tls_certificate>& all);

}  // namespace doorward::config
