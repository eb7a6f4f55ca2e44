// The table that a law is fitted to: rows of a CSV file as observations, and what was made of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "assay/law/table/columns.h"
#include "assay/law/table/filter.h"
#include "assay/law/table/observation.h"

namespace assay {

struct TableOptions {
  ColumnNames columns;             // by role; empty = recognise by common names
  std::vector<std::string> where;  // conditions (filter.h), all of which a row must meet
  /// "with embeddings", "without embeddings"; empty = as the header says, else unknown.
  std::string model_size_definition;
  /// "nats", "bits", …; empty = as the header says, else unknown.
  std::string loss_unit;
};

struct TableWarning {
  std::string code;  // "diverged", "duplicate", …: stable
  std::string message;
  std::vector<int64_t> lines;  // of the file, 1-based; the first 100 of those concerned
};

struct UsedColumn {
  std::string role;  // RoleNames::name
  std::string column;
  double scale = 1;  // its numbers were multiplied by this
};

/// rows_read = rows.size() + failed + Σ left_out[].rows.
struct TableRows {
  std::vector<Observation> rows;  // in the order of the table, diverged ones among them
  std::vector<UsedColumn> columns;
  std::vector<std::string> unused_columns;
  bool data_from_compute = false;  // D = C/(6 N): no column of D, or --flops-column alone was given
  bool size_from_compute = false;  // N = C/(6 D): no column of N
  int64_t rows_read = 0;
  std::vector<LeftOut> left_out;  // one for each condition
  int64_t diverged = 0;           // in rows
  int64_t upper_bounds = 0;       // in rows
  int64_t failed = 0;             // not in rows: nothing was measured
  int64_t duplicates = 0;         // in rows: group, run, N, D (or C), U and loss of an earlier one
  std::vector<std::string> constant;  // roles with one value in all measured rows
  std::string model_size_definition = "unknown", loss_unit = "unknown";
  std::string data_unit = "unknown";  // "tokens", "examples", "samples", "images"
  std::vector<TableWarning> warnings;
};

/// Reads and checks a table. Conditions come first: rows that they leave out need not be sound.
///
/// A loss that is `nan` or `inf` reads as a diverged run, with a warning; an empty one is an error,
/// because programs write it for "diverged" and for "not measured" alike. Status words (status
/// column): completed, diverged, failed (left out and counted), and timed_out, interrupted or
/// undertrained, whose loss is an upper bound; common synonyms too. A diverged row needs no N or D.
///
/// A unit column names the unit of each row's loss: one for all rows becomes the table's loss_unit.
///
/// Several group or run columns are joined by " / ". Rows without a run cell are runs of their own.
///
/// Throws Error data.number, data.sign (N, D, C, U or loss not above zero), data.status,
/// data.missing_value, data.decimal_mark, data.no_rows, data.mixed_units (settle_loss_unit,
/// check_rows), and what TableFile, find_columns and RowCondition throw.
TableRows read_table(const std::filesystem::path& path, const TableOptions& options = {});

/// {"columns", "unused_columns", "data_from_compute", "size_from_compute", "rows", "rows_read",
/// "left_out", "diverged", "upper_bounds", "failed", "duplicates", "constant",
/// "model_size_definition", "loss_unit", "data_unit", "warnings"}: all but the rows, which are
/// counted.
nlohmann::json to_json(const TableRows& table);

}  // namespace assay
