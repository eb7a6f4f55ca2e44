// Conditions that rows of a table must meet: `loss < 4`, `Model == ViT/B/16`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "assay/law/table/file.h"
#include "assay/law/table/number.h"

namespace assay {

/// `COLUMN OP VALUE`, about what the cell says, unscaled, with OP one of < <= > >= == !=. A column
/// or a value may stand in quotes. Numbers compare as numbers; a value that is not a number, or
/// stands in quotes, compares as text, by == and != alone. A missing cell, and one that is not
/// finite, meets no comparison with a number, so `loss > 0` also leaves out rows without a loss.
class RowCondition {
 public:
  /// Throws Error usage.where, usage.unknown_column, usage.ambiguous_column.
  RowCondition(const TableFile& file, const std::string& expression);

  /// Throws Error data.number for text that is to be compared with < or > to a number.
  bool holds(const TableFile& file, const TableRow& row) const;

 private:
  enum class Comparison { less, at_most, greater, at_least, equal, different };
  bool compare(double number) const;

  std::string expression_, text_;
  std::optional<double> number_;
  Comparison comparison_ = Comparison::equal;
  size_t column_ = 0;
  DecimalMark mark_;
};

struct LeftOut {
  std::string expression;
  int64_t rows = 0;  // that failed this condition and none before it
};

/// All conditions of --where, and how many rows each left out.
class RowFilter {
 public:
  /// file must outlive it. Throws what RowCondition throws.
  RowFilter(const TableFile& file, const std::vector<std::string>& expressions);

  /// Counts a row that is not kept under the first condition that it fails.
  bool keeps(const TableRow& row);
  const std::vector<LeftOut>& left_out() const { return left_out_; }

 private:
  const TableFile& file_;
  std::vector<RowCondition> conditions_;
  std::vector<LeftOut> left_out_;
};

}  // namespace assay
