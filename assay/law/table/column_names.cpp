// Matched word by word, so that units and scales behind a name are seen.
#include "assay/law/table/column_names.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "assay/law/table/number.h"

namespace assay {
namespace {

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

std::vector<std::string_view> split(std::string_view names) {
  std::vector<std::string_view> out;
  while (!names.empty()) {
    const size_t end = std::min(names.find(' '), names.size());
    out.push_back(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return out;
}

double scale_of(std::string_view word) {
  if (known(split("k thousand thousands"), word)) return 1e3;
  if (known(split("m million millions"), word)) return 1e6;
  if (known(split("b bn billion billions"), word)) return 1e9;
  if (known(split("trillion trillions"), word)) return 1e12;
  return 1;
}

}  // namespace

const std::array<RoleNames, kColumnRoles>& roles() {
  static const std::array<RoleNames, kColumnRoles> table{{
      {ColumnRole::model_size, "model_size", "--n-column", "the model size N",
       split("n nparams numparams params paramsn param paramcount parameters nparameters "
             "numparameters parametercount modelsize modelparams modelparameters totalparams "
             "totalparameters trunkparameters trunkparams nonembeddingparams "
             "nonembeddingparameters paramsnonembedding parametersnonembedding "
             "nparamsnonembedding nonembparams")},
      {ColumnRole::data_size, "data_size", "--d-column", "the data size D",
       split("d data datasize datasetsize tokens tokensd ntokens numtokens traintokens "
             "trainingtokens tokensseen seentokens examples nexamples numexamples "
             "trainexamples trainingexamples examplesseen seenexamples samples nsamples "
             "numsamples trainsamples trainingsamples samplesseen seensamples images nimages "
             "imagesseen seenimages")},
      {ColumnRole::compute, "compute", "--flops-column", "the compute C",
       split("c compute computec computeflops flop flops flopsc trainflop trainflops "
             "trainingflop trainingflops totalflops trainingcompute")},
      {ColumnRole::loss, "loss", "--loss-column", "the loss",
       split("l loss valloss validloss validationloss evalloss evaluationloss testloss devloss "
             "heldoutloss trainloss trainingloss finalloss")},
      {ColumnRole::unique_data, "unique_data", "--unique-column", "the unique data U",
       split("u unique uniquedata uniquedatau uniquetokens uniquetokensu uniqueexamples "
             "uniquesamples uniqueimages")},
      {ColumnRole::status, "status", "--status-column", "the status of a run",
       split("status state outcome runstatus trialstatus diverged")},
      {ColumnRole::run, "run", "--run-column", "the run",
       split("run runid runname trial trialid trialname")},
      {ColumnRole::group, "group", "--group-column", "the group",
       split("group objective preset curve")},
      {ColumnRole::unit, "unit", "--unit-column", "the unit of a row's loss",
       split("lossunit lossunits")},
  }};
  return table;
}
const RoleNames& names_of(ColumnRole role) { return roles()[static_cast<size_t>(role)]; }

std::string plain_name(std::string_view column) { return joined(words_of(column)); }

std::optional<RecognisedName> recognise(std::string_view column) {
  std::vector<std::string> words = words_of(column);
  const std::string whole = joined(words);
  for (const RoleNames& role : roles())
    if (known(role.known, whole)) return RecognisedName{role.role, 1, {}};
  if (words.size() < 2) return {};
  const auto unit = std::ranges::find_if(words, [](const std::string& word) {
    return word == "nats" || word == "nat" || word == "bits" || word == "bit";
  });
  if (unit != words.end() && known(names_of(ColumnRole::loss).known, joined({words.begin(), unit})))
    return RecognisedName{ColumnRole::loss, 1,
                          fmt::format("{}", fmt::join(unit, words.end(), " "))};
  const double scale = scale_of(words.back());
  words.pop_back();
  if (scale != 1 && joined(words).size() > 1)  // d_k is no data size
    for (const ColumnRole role :
         {ColumnRole::model_size, ColumnRole::data_size, ColumnRole::unique_data})
      if (known(names_of(role).known, joined(words))) return RecognisedName{role, scale, {}};
  return {};
}

}  // namespace assay
