// assay measure difference: two trials on the same examples and draws, is one noisier?
#include "assay/tensor/torch.h"

#include "assay/study/measure_difference.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assay/measure/estimate_record.h"
#include "assay/stats/noise_difference.h"
#include "assay/study/measured_step.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// Which units both take: of the fewest that the memory of either allows.
struct Pairing {
  int64_t units = 0, examples_per_unit = 0, draws = 0;
  SnrAspect whole;
};

Pairing pairing_of(const OpenTrial& first, const OpenTrial& second, const SnrMeasurement& a,
                   const SnrMeasurement& b) {
  if (first.train->info().hash != second.train->info().hash)
    throw Error("usage.pairs",
                fmt::format("`{}` and `{}` were trained on different data", first.config.name,
                            second.config.name),
                "compare their intervals from `assay measure snr` instead");
  const int64_t size = a.plan().examples_per_unit, other = b.plan().examples_per_unit;
  if (size != other)
    throw Error("usage.pairs",
                fmt::format("units of `{}` hold {} examples and those of `{}` {}: an objective "
                            "that couples examples is measured in its training batch",
                            first.config.name, size, second.config.name, other),
                fmt::format("give --examples {}", std::max(size, other)));
  SnrAspect whole = a.aspects().front();
  whole.units = std::min(whole.units, b.aspects().front().units);
  return {whole.units, size, a.plan().draws, whole};
}

const NestedUnits& trunk(const std::vector<NoiseUnits>& all) {
  for (const NoiseUnits& one : all)
    if (one.group == "trunk" && one.metric == "euclidean") return one.units;
  throw Error("measure.group", "the objective trains no trunk");
}

std::vector<Measurement> records_of(const NoiseDifference& difference, const Subject& subject,
                                    const Pairing& pairing, const DifferenceRequest& request,
                                    const std::string& with, bool same_objective) {
  std::vector<Measurement> out;
  const auto add = [&](const std::string& quantity, const std::string& unit, Estimate estimate) {
    Measurement m = subject.measurement("objective_snr", quantity, unit);
    m.labels = {{"group", "trunk"},
                {"metric", "euclidean"},
                {"weights", to_string(request.weights)},
                {"with", with}};
    m.method = fmt::format(
        "first less second on {} units of the same {} examples × {} draws; delete-one-unit "
        "jackknife of pairs",
        pairing.units, pairing.examples_per_unit, pairing.draws);
    estimate.n = pairing.units * pairing.examples_per_unit;
    out.push_back(with_estimate(std::move(m), estimate));
  };
  add("snr_difference", "1", difference.snr_per_example);
  if (pairing.draws > 1) add("share_difference", "1", difference.objective_share);
  if (same_objective) {
    add("signal_difference", "squared gradient", difference.signal);
    add("total_variance_difference", "squared gradient", difference.trace_total);
  }
  return out;
}

}  // namespace

nlohmann::json measure_difference(const OpenTrial& first, const OpenTrial& second,
                                  const DifferenceRequest& request) {
  Subject a = subject_at(first, request.first_step), b = subject_at(second, request.second_step);
  SnrMeasurement of_a(a, request.plan), of_b(b, request.plan);
  const Pairing pairing = pairing_of(first, second, of_a, of_b);
  const std::vector<int64_t> examples = of_a.examples(pairing.whole, 0);
  const Seed draws = of_a.draws(pairing.whole);
  const auto left = of_a.units(request.weights, pairing.units, examples, draws);
  const auto right = of_b.units(request.weights, pairing.units, examples, draws);

  const std::string with = fmt::format("{}, step {}", second.config.name, b.state().step);
  const auto records =
      records_of(noise_difference(trunk(left), trunk(right)), a, pairing, request, with,
                 to_json(first.config.objective) == to_json(second.config.objective));
  const Json cost = {{"kind", "measuring"},
                     {"command", "difference"},
                     {"step", a.state().step},
                     {"weights", to_string(request.weights)},
                     {"about", "whole, with " + with},
                     {"units", pairing.units},
                     {"examples_per_unit", pairing.examples_per_unit},
                     {"draws", pairing.draws},
                     {"measuring_flops",
                      of_a.flops_per_block(pairing.whole) + of_b.flops_per_block(pairing.whole)}};
  return measured_answer(first, Json::array({record_step(first, a, records, {cost})}));
}

}  // namespace assay
