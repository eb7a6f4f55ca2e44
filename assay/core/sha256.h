// SHA-256, for hashes that people compare with `sha256sum` and publish before a run.
#pragma once

#include <string>
#include <string_view>

namespace assay {

/// 64 lower-case hexadecimal digits (FIPS 180-4).
std::string sha256_text(std::string_view bytes);

}  // namespace assay
