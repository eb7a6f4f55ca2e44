// The text of a cell as a number, or why it is none.
#pragma once

#include <string>
#include <string_view>

namespace assay {

enum class NumberFault {
  none,
  missing,     // an empty cell, NA, N/A, null, none, -
  not_finite,  // nan, inf
  range,       // beyond a double
  grouped,     // 1,234,567 or 1_000: thousands separators
  comma,       // 3,14 in a table separated by commas or tabs
  percent,     // 3.5%
  suffix,      // 70M, 1.4B
  text,
};

/// In a table separated by semicolons a comma is the decimal mark, as European spreadsheets write
/// it.
enum class DecimalMark { point, comma_or_point };
inline DecimalMark decimal_mark(char separator) {
  return separator == ';' ? DecimalMark::comma_or_point : DecimalMark::point;
}

struct ParsedNumber {
  double value = 0;
  NumberFault fault = NumberFault::none;
};
ParsedNumber parse_number(std::string_view cell, DecimalMark mark);

/// "is not a number: it has a thousands separator", and what to write instead.
struct FaultText {
  std::string message, help;
};
FaultText describe(NumberFault fault, std::string_view cell);

/// Without the blanks and tabs at its ends.
std::string_view trimmed(std::string_view text);

/// In lower case, for comparisons of words; bytes beyond ASCII stay.
std::string lower_case(std::string_view text);

}  // namespace assay
