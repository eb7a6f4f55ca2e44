// Which column of a table serves as what: by option, or by the names in common use.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "assay/law/table/column_names.h"
#include "assay/law/table/file.h"

namespace assay {

/// Names as given on the command line. Empty = recognise by common names.
using ColumnNames = std::array<std::vector<std::string>, kColumnRoles>;

struct ServingColumn {
  size_t index = 0;
  double scale = 1;  // RecognisedName
  std::string detail;
};

struct TableColumns {
  std::array<std::vector<ServingColumn>, kColumnRoles> of_role;
  std::vector<size_t> unused;

  const std::vector<ServingColumn>& operator[](ColumnRole role) const {
    return of_role[static_cast<size_t>(role)];
  }
  /// The one column of a role that has at most one.
  const ServingColumn* one(ColumnRole role) const {
    return (*this)[role].empty() ? nullptr : &(*this)[role].front();
  }
};

/// Letter case, blanks, underscores, hyphens, dots and brackets in names do not count. A run is
/// told by the run column and, beside it, a seed column: some tables give the seeds of one
/// configuration one run name. A seed column alone tells no run.
///
/// Throws Error usage.unknown_column, usage.ambiguous_column, usage.column_twice,
/// usage.missing_column (no loss, or none of N, D, C).
TableColumns find_columns(const TableFile& file, const ColumnNames& given);

/// The column called `wanted`: the exact name, else the only one that differs in letter case,
/// blanks and underscores alone. `asked_by`: the option or expression, for the message. Throws
/// Error usage.unknown_column, usage.ambiguous_column.
size_t find_column(const TableFile& file, const std::string& wanted, const std::string& asked_by);

}  // namespace assay
