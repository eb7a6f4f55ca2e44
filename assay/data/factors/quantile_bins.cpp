// Order statistics as edges.
#include "assay/data/factors/quantile_bins.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/core/error.h"

namespace assay {

QuantileBins::QuantileBins(std::vector<double> values, int64_t bins, const std::string& factor) {
  std::erase_if(values, [](double value) { return std::isnan(value); });
  const auto known = static_cast<int64_t>(values.size());
  if (known < bins)
    throw Error("data.factor",
                fmt::format("factor `{}` is known of {} training examples, too few for {} bins",
                            factor, known, bins),
                "leave it out of `derived`, or lower `derived_bins`");
  std::sort(values.begin(), values.end());
  for (int64_t j = 1; j < bins; ++j)
    edges_.push_back(values[static_cast<size_t>(j * known / bins)]);
}

int64_t QuantileBins::of(double value) const {
  if (std::isnan(value)) return -1;
  return std::upper_bound(edges_.begin(), edges_.end(), value) - edges_.begin();
}

}  // namespace assay
