// Formatting of numbers and lists.
#include "assay/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>

namespace assay::report {

std::string number_text(double value) {
  if (!std::isfinite(value)) return "missing";
  std::string text = fmt::format("{:.3g}", value == 0 ? 0.0 : value);
  std::string out;
  for (const char c : text) {
    if (c == '-') {
      out += "−";
    } else {
      out += c;
    }
  }
  return out;
}

namespace {

/// Decimals that leave two significant digits of the interval's half-width; -1: three digits of
/// each number.
int decimals_of(const Estimate& estimate) {
  const double half = (*estimate.high - *estimate.low) / 2;
  if (!(half > 0) || !std::isfinite(half)) return -1;
  const double decimals = 1 - std::floor(std::log10(half));
  return decimals > 6 || std::fabs(estimate.value) >= 1e6
             ? -1
             : static_cast<int>(std::max(0., decimals));
}

std::string fixed_text(double value, int decimals) {
  if (decimals < 0) return number_text(value);
  const std::string text = fmt::format("{:.{}f}", value, decimals);
  const bool zero = text.find_first_of("123456789") == std::string::npos;
  if (text[0] != '-') return text;
  return zero ? text.substr(1) : fmt::format("−{}", text.substr(1));
}

}  // namespace

std::string estimate_text(const Estimate& estimate, std::string_view unit) {
  if (!estimate.known()) return "missing";
  const int decimals = estimate.bounded() ? decimals_of(estimate) : -1;
  std::string value = fixed_text(estimate.value, decimals);
  if (!unit.empty()) value += fmt::format(" {}", unit);
  if (!estimate.bounded()) return fmt::format("{} (no interval)", value);
  return fmt::format("{} [{}, {}]", value, fixed_text(*estimate.low, decimals),
                     fixed_text(*estimate.high, decimals));
}

std::string flops_text(double flops) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T", "P", "E", "Z", "Y"};
  if (!std::isfinite(flops)) return "missing";
  size_t prefix = 0;
  while (std::fabs(flops) >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    flops /= 1000;
    ++prefix;
  }
  return fmt::format("{} {}FLOP", number_text(flops), kPrefixes[prefix]);
}

std::string seconds_text(double seconds) {
  if (!std::isfinite(seconds)) return "missing";
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  if (seconds < 5400) return fmt::format("{:.1f} min", seconds / 60);
  return fmt::format("{:.1f} h", seconds / 3600);
}

std::string percent_text(double share) {
  if (!std::isfinite(share)) return "missing";
  const double percent = 100 * share;
  return fmt::format("{}%", number_text(std::fabs(percent) >= 10 ? std::round(percent) : percent));
}

std::string join_and(const std::vector<std::string>& words) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
    out += words[i];
  }
  return out;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string out;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) out += between;
    out += words[i];
  }
  return out;
}

std::string count_text(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace assay::report
