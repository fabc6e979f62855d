#pragma once

#include <optional>
#include <string>

#include "config/complaint.hpp"
#include "doorward/config/model.hpp"

namespace doorward::config {

/// What is wrong with a certificate or its key.
struct certificate_fault {
  std::string_view key;  ///< "cert" or "key": which of the two files
  std::string text;
  std::string suggestion;
};

/// Nothing when both can be read and belong together.
[[nodiscard]] std::optional<certificate_fault> find_fault(file_text const& cert, file_text const& key);

/// True when `file` holds certificates, and nothing broken.
[[nodiscard]] bool holds_certificates(file_text const& file);

/// Puts the names in lower case, and takes those of the certificate where none were given.
void complete_names(std::vector<tls_certificate>& all);

}  // namespace doorward::config
