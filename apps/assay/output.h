// Files that a person names with -o: what must not happen to them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

/// Before anything is computed: the folder is there and can be written to, and the file is none of
/// the `inputs`, nor of what a study folder among them is made of. Throws Error usage.output.
void check_output(const std::string& path, const std::vector<std::string>& inputs,
                  const char* option = "-o");

/// Whole or not at all. A link is followed; a device or pipe is written to, not replaced.
void write_output(const std::string& path, std::string_view text);

}  // namespace assay::cli
