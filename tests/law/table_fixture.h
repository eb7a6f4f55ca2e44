// Tables written for a test, read back, or refused.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "assay/law/table/table.h"
#include "store/temporary_folder.h"

namespace assay {

inline std::filesystem::path write_table(const TemporaryFolder& folder, const std::string& bytes) {
  const std::filesystem::path path = folder.path / "table.csv";
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

inline TableRows read_bytes(const std::string& bytes, const TableOptions& options = {}) {
  const TemporaryFolder folder;
  return read_table(write_table(folder, bytes), options);
}

/// The error that reading ends in; of code "none" if it does not.
inline Error refusal(const std::string& bytes, const TableOptions& options = {}) {
  try {
    read_bytes(bytes, options);
  } catch (const Error& error) {
    return error;
  }
  return Error("none", "accepted");
}

/// "code line:column length"
inline std::string place_of(const Error& error) {
  return error.code() + " " + std::to_string(error.place().line) + ":" +
         std::to_string(error.place().column) + " " + std::to_string(error.place().length);
}

inline std::vector<std::string> warnings_of(const TableRows& table) {
  std::vector<std::string> codes;
  for (const TableWarning& warning : table.warnings) codes.push_back(warning.code);
  return codes;
}

inline bool warns(const TableRows& table, const std::string& code) {
  return std::ranges::count(warnings_of(table), code) > 0;
}

inline TableOptions with_column(ColumnRole role, std::vector<std::string> names) {
  TableOptions options;
  options.columns[static_cast<size_t>(role)] = std::move(names);
  return options;
}

inline TableOptions with_conditions(std::vector<std::string> where) {
  TableOptions options;
  options.where = std::move(where);
  return options;
}

inline std::string column_of(const TableRows& table, const std::string& role) {
  for (const UsedColumn& column : table.columns)
    if (column.role == role) return column.column;
  return {};
}

}  // namespace assay
