// Numbers and words as the report prints them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "assay/report/estimate.h"

namespace assay::report {

/// Three significant digits, a true minus sign; "missing" for NaN.
std::string number_text(double value);
/// "2.10 [1.84, 2.36]" to two digits of the half-width, "2.1 (no interval)" or "missing".
std::string estimate_text(const Estimate& estimate, std::string_view unit = "");
/// SI prefix: "20 TFLOP".
std::string flops_text(double flops);
std::string seconds_text(double seconds);
std::string percent_text(double share);
/// "a", "a and b", "a, b and c".
std::string join_and(const std::vector<std::string>& words);
std::string join(const std::vector<std::string>& words, std::string_view between);
/// "1 trial", "2 trials".
std::string count_text(size_t count, std::string_view noun);
std::string capitalised(std::string text);

/// For element content and quoted attributes.
std::string escape_html(std::string_view text);

}  // namespace assay::report
