// Options of derived factors.
#include "assay/data/factors/derived_options.h"

#include <fmt/format.h>

#include <algorithm>

namespace assay {
namespace {
constexpr int64_t kBins = 8;
}

std::vector<Option> derived_options(std::span<const DerivedChoice> choices) {
  std::string list;
  for (const DerivedChoice& choice : choices)
    list += fmt::format("{} {} ({})", list.empty() ? "" : ";", choice.name, choice.summary);
  return {declare::optional(declare::texts(
              "derived", std::nullopt,
              fmt::format("Factors computed from each example, beside those it is labelled with; "
                          "bins are fitted on the training split:{}. Absent: none.",
                          list))),
          declare::optional(declare::integer(
              "derived_bins", std::nullopt, declare::closed(2, 256),
              fmt::format("Bins of each derived factor, equal shares of the training split where "
                          "values are not tied. Absent: {}.",
                          kBins)))};
}

std::vector<std::string> derived_names(const Options& options,
                                       std::span<const DerivedChoice> choices) {
  if (!options.has("derived")) return {};
  std::vector<std::string> known;
  for (const DerivedChoice& choice : choices) known.emplace_back(choice.name);
  const std::vector<std::string> names = options.texts("derived");
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(known.begin(), known.end(), *name) == known.end())
      throw options.error("derived", "config.choice",
                          fmt::format("no derived factor is called \"{}\"", *name),
                          suggest(*name, known));
    if (std::find(names.begin(), name, *name) != name)
      throw options.error("derived", "config.duplicate",
                          fmt::format("factor `{}` stands twice in `derived`", *name),
                          "name each factor once");
  }
  return names;
}

int64_t derived_bins(const Options& options) {
  return options.has("derived_bins") ? options.integer("derived_bins") : kBins;
}

}  // namespace assay
