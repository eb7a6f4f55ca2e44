// First what was asked for, then what the names of the columns say.
#include "assay/law/table/columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "assay/law/table/number.h"

namespace assay {
namespace {

std::string list_names(const TableFile& file, const std::vector<size_t>& columns) {
  std::vector<std::string> names;
  for (const size_t column : columns) names.push_back(in_backticks(file.header()[column]));
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string all_names(const TableFile& file) {
  std::vector<std::string> names;
  for (const std::string& column : file.header())
    if (!column.empty()) names.push_back(in_backticks(column));
  const size_t shown = std::min<size_t>(names.size(), 20);
  return fmt::format("{}{}",
                     fmt::join(names.begin(), names.begin() + static_cast<long>(shown), ", "),
                     shown < names.size() ? fmt::format(" and {} more", names.size() - shown) : "");
}

[[noreturn]] void refuse_ambiguous(const TableFile& file, const RoleNames& role,
                                   const std::vector<size_t>& candidates) {
  throw file.header_error("usage.ambiguous_column",
                          fmt::format("more than one column may hold {}: {}", role.meaning,
                                      list_names(file, candidates)),
                          fmt::format("give {} with the one that is meant", role.option),
                          candidates[1]);
}

ServingColumn serving(const TableFile& file, size_t column, ColumnRole role) {
  const auto recognised = recognise(file.header()[column]);
  if (!recognised || recognised->role != role) return {column, 1, {}};
  return {column, recognised->scale, recognised->detail};
}

// Fills in the columns that were named, and says which columns are taken.
std::vector<bool> take_given(const TableFile& file, const ColumnNames& given,
                             TableColumns& columns) {
  std::vector<bool> taken(file.header().size());
  for (const RoleNames& role : roles()) {
    const auto& names = given[static_cast<size_t>(role.role)];
    auto& serving_columns = columns.of_role[static_cast<size_t>(role.role)];
    for (const std::string& wanted : names) {
      const size_t column = find_column(file, wanted, std::string(role.option));
      const bool several = role.role == ColumnRole::run || role.role == ColumnRole::group;
      if (!several && !serving_columns.empty())
        throw file.header_error("usage.column_twice",
                                fmt::format("{} names two columns", role.option), "give one column",
                                column);
      if (taken[column] && !several)
        throw file.header_error(
            "usage.column_twice",
            fmt::format("column {} is to serve as two things", in_backticks(file.header()[column])),
            fmt::format("give {} another column", role.option), column);
      taken[column] = true;
      serving_columns.push_back(serving(file, column, role.role));
    }
  }
  return taken;
}

void take_recognised(const TableFile& file, const ColumnNames& given, std::vector<bool>& taken,
                     TableColumns& columns) {
  std::array<std::vector<size_t>, kColumnRoles> candidates;
  for (size_t column = 0; column < taken.size(); ++column)
    if (const auto found = recognise(file.header()[column]); found && !taken[column])
      candidates[static_cast<size_t>(found->role)].push_back(column);
  for (const RoleNames& role : roles()) {
    const auto index = static_cast<size_t>(role.role);
    if (!given[index].empty() || candidates[index].empty()) continue;
    if (candidates[index].size() > 1) refuse_ambiguous(file, role, candidates[index]);
    columns.of_role[index].push_back(serving(file, candidates[index].front(), role.role));
    taken[candidates[index].front()] = true;
  }
}

void take_seed(const TableFile& file, const ColumnNames& given, std::vector<bool>& taken,
               TableColumns& columns) {
  const auto run = static_cast<size_t>(ColumnRole::run);
  if (!given[run].empty() || columns.of_role[run].empty()) return;
  for (size_t column = 0; column < taken.size(); ++column) {
    const std::string word = plain_name(file.header()[column]);
    if (taken[column] || (word != "seed" && word != "randomseed" && word != "replicate")) continue;
    columns.of_role[run].push_back({column, 1, {}});
    taken[column] = true;
  }
}

[[noreturn]] void refuse_missing(const TableFile& file, const std::string& what,
                                 std::initializer_list<ColumnRole> wanted) {
  std::vector<std::string> header;
  for (const std::string& column : file.header()) header.push_back(plain_name(column));
  std::string help;
  for (const ColumnRole role : wanted) {
    std::optional<std::string> near;
    for (const std::string_view word : names_of(role).known)
      if (word.size() > 4 && !near) near = nearest_name(word, header);
    if (!help.empty()) help += " or ";
    const auto at = near ? std::ranges::find(header, *near) - header.begin() : 0;
    help += fmt::format("{} {}", names_of(role).option,
                        near ? fmt::format("{} (if that is the one)",
                                           in_backticks(file.header()[static_cast<size_t>(at)]))
                             : "NAME");
  }
  throw file.header_error("usage.missing_column",
                          fmt::format("no column holds {}; columns: {}", what, all_names(file)),
                          "give " + help);
}

}  // namespace

size_t find_column(const TableFile& file, const std::string& wanted, const std::string& asked_by) {
  const std::vector<std::string>& header = file.header();
  std::vector<size_t> exact, alike;
  const std::string words = plain_name(wanted);
  for (size_t column = 0; column < header.size(); ++column) {
    if (header[column] == wanted) exact.push_back(column);
    if (!words.empty() && plain_name(header[column]) == words) alike.push_back(column);
  }
  const std::vector<size_t>& found = exact.empty() ? alike : exact;
  if (found.size() == 1) return found.front();
  if (found.size() > 1)
    throw file.header_error("usage.ambiguous_column",
                            fmt::format("{} {} fits more than one column: {}", asked_by,
                                        in_backticks(wanted), list_names(file, found)),
                            exact.empty() ? "write the name exactly as in the header"
                                          : "give every column a name of its own",
                            found[1]);
  std::vector<std::string> named;
  for (const std::string& column : header)
    if (!column.empty()) named.push_back(column);
  const auto near = nearest_name(wanted, named);
  throw file.header_error(
      "usage.unknown_column",
      fmt::format("{} {}: there is no such column; columns: {}", asked_by, in_backticks(wanted),
                  all_names(file)),
      near ? fmt::format("did you mean {}?", in_backticks(*near)) : "give a name of the header");
}

TableColumns find_columns(const TableFile& file, const ColumnNames& given) {
  TableColumns columns;
  std::vector<bool> taken = take_given(file, given, columns);
  take_recognised(file, given, taken, columns);
  take_seed(file, given, taken, columns);
  if (!columns.one(ColumnRole::loss)) refuse_missing(file, "the loss", {ColumnRole::loss});
  if (!columns.one(ColumnRole::model_size) && !columns.one(ColumnRole::data_size) &&
      !columns.one(ColumnRole::compute))
    refuse_missing(file, "the model size, the data size or the compute",
                   {ColumnRole::model_size, ColumnRole::data_size, ColumnRole::compute});
  for (size_t column = 0; column < taken.size(); ++column)
    if (!taken[column]) columns.unused.push_back(column);
  return columns;
}

}  // namespace assay
