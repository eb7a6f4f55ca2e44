// Names in common use are matched word by word, so that units and scales behind them are seen.
#include "assay/law/table_columns.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "assay/law/table_number.h"

namespace assay {
namespace {

struct RoleNames {
  ColumnRole role;
  std::string_view name, option, meaning;
  std::vector<std::string_view> known;  // words joined, in lower case
};

const std::array<RoleNames, kColumnRoles>& roles() {
  static const std::array<RoleNames, kColumnRoles> table{{
      {ColumnRole::model_size,
       "model_size",
       "--n-column",
       "the model size N",
       {"n",
        "nparams",
        "numparams",
        "params",
        "paramsn",
        "param",
        "paramcount",
        "parameters",
        "nparameters",
        "numparameters",
        "parametercount",
        "modelsize",
        "modelparams",
        "modelparameters",
        "totalparams",
        "totalparameters",
        "trunkparameters",
        "trunkparams",
        "nonembeddingparams",
        "nonembeddingparameters",
        "paramsnonembedding",
        "parametersnonembedding",
        "nparamsnonembedding",
        "nonembparams"}},
      {ColumnRole::data_size,
       "data_size",
       "--d-column",
       "the data size D",
       {"d",
        "data",
        "datasize",
        "datasetsize",
        "tokens",
        "tokensd",
        "ntokens",
        "numtokens",
        "traintokens",
        "trainingtokens",
        "tokensseen",
        "seentokens",
        "examples",
        "nexamples",
        "numexamples",
        "trainexamples",
        "trainingexamples",
        "examplesseen",
        "seenexamples",
        "samples",
        "nsamples",
        "numsamples",
        "trainsamples",
        "trainingsamples",
        "samplesseen",
        "seensamples",
        "images",
        "nimages",
        "imagesseen",
        "seenimages"}},
      {ColumnRole::compute,
       "compute",
       "--flops-column",
       "the compute C",
       {"c", "compute", "computec", "computeflops", "flop", "flops", "flopsc", "trainflop",
        "trainflops", "trainingflop", "trainingflops", "totalflops", "trainingcompute"}},
      {ColumnRole::loss,
       "loss",
       "--loss-column",
       "the loss",
       {"l", "loss", "valloss", "validloss", "validationloss", "evalloss", "evaluationloss",
        "testloss", "devloss", "heldoutloss", "trainloss", "trainingloss", "finalloss"}},
      {ColumnRole::unique_data,
       "unique_data",
       "--unique-column",
       "the unique data U",
       {"u", "unique", "uniquedata", "uniquedatau", "uniquetokens", "uniquetokensu",
        "uniqueexamples", "uniquesamples", "uniqueimages"}},
      {ColumnRole::status,
       "status",
       "--status-column",
       "the status of a run",
       {"status", "state", "outcome", "runstatus", "trialstatus", "diverged"}},
      {ColumnRole::run,
       "run",
       "--run-column",
       "the run",
       {"run", "runid", "runname", "trial", "trialid", "trialname"}},
      {ColumnRole::group,
       "group",
       "--group-column",
       "the group",
       {"group", "objective", "preset", "curve"}},
  }};
  return table;
}
const RoleNames& names_of(ColumnRole role) { return roles()[static_cast<size_t>(role)]; }

bool known(const std::vector<std::string_view>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

std::vector<std::string> words_of(std::string_view name) {
  const std::string text = lower_case(name);
  constexpr std::string_view between = " _-./()[]:#\t\n\r";
  std::vector<std::string> words;
  for (size_t begin = text.find_first_not_of(between); begin != text.npos;) {
    const size_t end = std::min(text.find_first_of(between, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(between, end);
  }
  return words;
}

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ""));
}

double scale_of(std::string_view word) {
  constexpr auto table = std::to_array<std::pair<std::string_view, double>>({{"k", 1e3},
                                                                             {"thousand", 1e3},
                                                                             {"thousands", 1e3},
                                                                             {"m", 1e6},
                                                                             {"million", 1e6},
                                                                             {"millions", 1e6},
                                                                             {"b", 1e9},
                                                                             {"bn", 1e9},
                                                                             {"billion", 1e9},
                                                                             {"billions", 1e9},
                                                                             {"trillion", 1e12},
                                                                             {"trillions", 1e12}});
  const auto found = std::ranges::find(table, word, &std::pair<std::string_view, double>::first);
  return found == table.end() ? 1 : found->second;
}

// The role that the name of a column stands for, with the unit or scale behind it.
struct Recognised {
  ColumnRole role;
  double scale = 1;
  std::string detail;
};
std::optional<Recognised> recognise(std::string_view column) {
  std::vector<std::string> words = words_of(column);
  const std::string whole = joined(words);
  for (const RoleNames& role : roles())
    if (known(role.known, whole)) return Recognised{role.role, 1, {}};
  if (words.size() < 2) return {};
  const auto unit = std::ranges::find_if(words, [](const std::string& word) {
    return word == "nats" || word == "nat" || word == "bits" || word == "bit";
  });
  if (unit != words.end() && known(names_of(ColumnRole::loss).known, joined({words.begin(), unit})))
    return Recognised{ColumnRole::loss, 1, fmt::format("{}", fmt::join(unit, words.end(), " "))};
  const double scale = scale_of(words.back());
  words.pop_back();
  if (scale != 1)
    for (const ColumnRole role :
         {ColumnRole::model_size, ColumnRole::data_size, ColumnRole::unique_data})
      if (known(names_of(role).known, joined(words))) return Recognised{role, scale, {}};
  return {};
}

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
    const std::string word = joined(words_of(file.header()[column]));
    if (taken[column] || (word != "seed" && word != "randomseed" && word != "replicate")) continue;
    columns.of_role[run].push_back({column, 1, {}});
    taken[column] = true;
  }
}

[[noreturn]] void refuse_missing(const TableFile& file, const std::string& what,
                                 std::initializer_list<ColumnRole> wanted) {
  std::vector<std::string> header;
  for (const std::string& column : file.header()) header.push_back(joined(words_of(column)));
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

std::string_view name(ColumnRole role) { return names_of(role).name; }
std::string_view option(ColumnRole role) { return names_of(role).option; }

size_t find_column(const TableFile& file, const std::string& wanted, const std::string& asked_by) {
  const std::vector<std::string>& header = file.header();
  std::vector<size_t> exact, alike;
  const std::string words = joined(words_of(wanted));
  for (size_t column = 0; column < header.size(); ++column) {
    if (header[column] == wanted) exact.push_back(column);
    if (!words.empty() && joined(words_of(header[column])) == words) alike.push_back(column);
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
