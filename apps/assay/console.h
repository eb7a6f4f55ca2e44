// What the terminal shows: colour, tables, numbers for people.
#pragma once

#include <cstdint>
#include <cstdio>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::cli {

/// auto: on a terminal, unless NO_COLOR is set or TERM is "dumb" (https://no-color.org).
bool use_color(const std::string& choice, std::FILE* stream);
bool is_terminal(std::FILE* stream);
/// Columns of the terminal on stderr; 80 if unknown.
size_t terminal_width();

/// Columns aligned by their widest cell; the first row is the header. Numbers go right: a column
/// whose header starts with '>' (which is not printed).
std::string table(const std::vector<std::vector<std::string>>& rows);

std::string duration_text(double seconds);                 // 42 s, 3 min 20 s, 2 h 5 min
std::string count_text(double value);                      // 950, 12.3 k, 4.5 M
std::string flops_text(double flops);                      // 1.5e+13
std::string loss_text(const std::optional<double>& loss);  // 0.4381, or "–"
/// "1 trial", "3 trials".
std::string plural(int64_t count, std::string_view noun);
/// Cuts UTF-8 text to `width` columns, with an ellipsis.
std::string fit(const std::string& text, size_t width);

/// One document on stdout; invalid UTF-8 is replaced, NaN is null.
void print_json(const nlohmann::json& json);
void warn(const std::string& text, const std::string& color);

}  // namespace assay::cli
