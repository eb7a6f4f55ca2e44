// Content hashes (XXH3): ids of trials, identity of data, keys of seeds. Not cryptographic.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace assay {

uint64_t hash64(std::string_view bytes, uint64_t seed = 0);

/// 16 lower-case hexadecimal digits.
std::string hash_text(std::string_view bytes);

/// Streams the file. Throws Error data.missing_file if it cannot be read.
std::string hash_file(const std::string& path);

}  // namespace assay
