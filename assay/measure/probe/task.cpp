// Which held-out examples readouts are fitted on, chosen with and tested on, and their labels.
#include "assay/tensor/torch.h"

#include "assay/measure/probe/task.h"

#include <fmt/format.h>

#include "assay/noise/noise.h"

namespace assay::probe {
namespace {

constexpr int64_t kFewest = 50;  // examples of the held-out split, all three parts together
constexpr size_t kBatch = 250;

}  // namespace

const Seed kStream = Seed(0).child("probe");

std::vector<int64_t> chosen_factors(const DatasetInfo& info,
                                    const std::vector<std::string>& names) {
  std::vector<int64_t> chosen;
  for (size_t k = 0; k < info.factors.size(); ++k)
    if (names.empty() || std::find(names.begin(), names.end(), info.factors[k].name) != names.end())
      chosen.push_back(static_cast<int64_t>(k));
  return chosen;
}

SplitSizes fitted_split(const Dataset& heldout, const SplitSizes& wanted) {
  const int64_t total = wanted.total(), size = heldout.size();
  if (size >= total) return wanted;
  const SplitSizes fitted = {wanted.train * size / total, wanted.validation * size / total,
                             wanted.test * size / total};
  if (size < kFewest || std::min({fitted.train, fitted.validation, fitted.test}) < 2)
    throw Error(
        "data.too_few_examples",
        fmt::format("the probe needs at least {} held-out examples, there are {}", kFewest, size),
        "hold out more examples, or leave the probe out: `probe = false` in [measure]");
  return fitted;
}

ProbeData probe_data(const Dataset& heldout, const SplitSizes& wanted,
                     const std::vector<std::string>& names) {
  const std::vector<int64_t> chosen = chosen_factors(heldout.info(), names);
  const SplitSizes split = fitted_split(heldout, wanted);
  std::vector<Factor> factors;
  std::vector<int64_t> cardinality;
  std::vector<std::string> chosen_names;
  for (const int64_t k : chosen) {
    factors.push_back(heldout.info().factors[static_cast<size_t>(k)]);
    cardinality.push_back(factors.back().cardinality);
    chosen_names.push_back(factors.back().name);
  }
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < split.total(); ++i)
    ids.push_back(permuted(kStream.child("split"), heldout.size(), i));
  std::vector<Tensor> labels;
  for (size_t at = 0; at < ids.size(); at += kBatch)
    labels.push_back(
        heldout.get(std::span(ids).subspan(at, std::min(kBatch, ids.size() - at))).labels);
  Task task{chosen_names,
            torch::cat(labels).index_select(1, torch::tensor(chosen)),
            ClassBlocks(cardinality),
            split.train,
            split.validation,
            split.test};
  return {std::move(factors), std::move(ids), std::move(task)};
}

std::vector<std::string> read_factors(const Options& options) {
  if (!options.has("factors")) return {};
  const Node& given = options.node("factors");
  if (given.is_null() || (given.is_text() && given.text() == "all")) return {};
  if (given.is_text()) return {given.text()};
  std::vector<std::string> names;
  if (given.is_array())
    for (const Node& item : given.array())
      if (item.is_text()) names.push_back(item.text());
  if (names.empty() || names.size() != given.array().size())
    throw options.error("factors", "config.type",
                        fmt::format("`factors` must be names of factors, got {}", given.kind()),
                        "write \"all\", one name, or a list such as [\"shape\", \"hue\"]");
  return names;
}

}  // namespace assay::probe
