// Formatting for terminals.
#include "apps/assay/console.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

namespace assay::cli {
namespace {

// Columns of UTF-8 text, one per code point: enough for names, dashes and boxes.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

bool is_terminal(std::FILE* stream) { return ::isatty(::fileno(stream)) == 1; }

bool use_color(const std::string& choice, std::FILE* stream) {
  if (choice != "auto") return choice == "always";
  const char* none = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return is_terminal(stream) && !(none && *none) && !(term && std::string_view(term) == "dumb");
}

size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return {};
  const size_t columns = rows.front().size();
  std::vector<size_t> widths(columns, 0);
  std::vector<bool> right(columns, false);
  for (size_t c = 0; c < columns; ++c) {
    right[c] = rows[0][c].starts_with('>');
    for (size_t r = 0; r < rows.size(); ++r)
      widths[c] = std::max(widths[c], width_of(rows[r][c]) - (r == 0 && right[c] ? 1 : 0));
  }
  std::string out;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string cell = r == 0 && right[c] ? rows[r][c].substr(1) : rows[r][c];
      const std::string padding(widths[c] - width_of(cell), ' ');
      line += c ? "  " : "";
      line += right[c] ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string duration_text(double seconds) {
  if (!std::isfinite(seconds)) return "?";
  constexpr double kDay = 86400, kYear = 365.25 * kDay;
  if (seconds >= 1000 * kYear) return fmt::format("{:.2g} years", seconds / kYear);
  if (seconds >= 2 * kYear) return fmt::format("{:.0f} years", seconds / kYear);
  if (seconds >= 7 * kDay) return fmt::format("{:.0f} days", seconds / kDay);
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  if (whole < 120) return fmt::format("{} s", whole);
  if (whole < 7200) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string count_text(double value) {
  // From where three digits would round to a thousand, the next unit.
  if (value < 999.5) return fmt::format("{:.0f}", value);
  if (value < 999.5e3) return fmt::format("{:.3g} k", value / 1e3);
  if (value < 999.5e6) return fmt::format("{:.3g} M", value / 1e6);
  if (value < 999.5e9) return fmt::format("{:.3g} G", value / 1e9);
  if (value < 999.5e12) return fmt::format("{:.3g} T", value / 1e12);
  return fmt::format("{:.3g}", value);
}

std::string flops_text(double flops) { return fmt::format("{:.3g}", flops); }

std::string loss_text(const std::optional<double>& loss) {
  return loss && std::isfinite(*loss) ? fmt::format("{:.4g}", *loss) : "–";
}

std::string plural(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string fit(const std::string& text, size_t width) {
  if (width_of(text) <= width) return text;
  std::string out;
  size_t columns = 0;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80 && ++columns >= width) break;
    out += c;
  }
  return out + "…";
}

void print_json(const nlohmann::json& json) {
  const std::string text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  std::printf("%s\n", text.c_str());
}

void warn(const std::string& text, const std::string& color) {
  const bool colored = use_color(color, stderr);
  std::fprintf(stderr, "%swarning:%s %s\n", colored ? "\x1b[1;33m" : "", colored ? "\x1b[0m" : "",
               text.c_str());
}

}  // namespace assay::cli
