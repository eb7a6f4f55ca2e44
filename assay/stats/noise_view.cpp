// The noise view in one block.
#include "assay/stats/noise_view.h"

#include <fmt/format.h>

#include "assay/core/error.h"
#include "assay/stats/noise_accumulator.h"

namespace assay {

const NoiseEstimate& NoiseView::at(const std::string& group, const std::string& metric,
                                   const std::string& part) const {
  for (const NoiseRow& row : rows) {
    if (row.group == group && row.metric == metric && row.part == part) return row.estimate;
  }
  throw Error("stats.row", fmt::format("nothing was measured for group {}, metric {}, part {}",
                                       group, metric, part.empty() ? "(whole)" : part));
}

NoiseView measure_noise(GradientSource& source, std::span<const int64_t> examples,
                        const NoisePlan& plan, Seed seed, double progress,
                        const std::vector<DiagonalMetric>& metrics) {
  NoiseAccumulator accumulator(source, plan, seed, progress, metrics);
  accumulator.add(examples);
  return accumulator.view();
}

}  // namespace assay
