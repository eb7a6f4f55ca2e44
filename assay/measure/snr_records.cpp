// What the noise view records: estimates with their labels, methods and notes.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "assay/measure/estimate_record.h"
#include "assay/measure/snr_measurement.h"
#include "assay/stats/headroom.h"

namespace assay {

void SnrMeasurement::add_records(const NoiseRow& row, Weights weights, const SnrAspect& aspect,
                                 SnrResult& result) const {
  std::map<std::string, std::string> labels = {
      {"group", row.group},
      {"metric", aspect.in_function_space() ? "function" : row.metric},
      {"weights", to_string(weights)}};
  if (aspect.level) labels["level"] = fmt::format("{}", *aspect.level);
  if (aspect.by_band()) labels["band"] = row.part;
  const int64_t examples = result.examples_per_unit * result.blocks;
  const NoiseEstimate& e = row.estimate;
  const auto add = [&](const std::string& quantity, const std::string& unit, Estimate estimate,
                       const std::string& interval, double scale = 1) {
    Measurement m = subject_.measurement("objective_snr", quantity, unit);
    m.labels = labels;
    m.method = fmt::format(
        "nested analysis of variance, {} units of {} examples × {} draws{}; {}", result.units,
        examples, result.draws,
        result.patterns > 1 ? fmt::format(" × {} patterns", result.patterns) : "", interval);
    m.note = aspect.note;
    if (e.units_advised > 0)
      add_note(m.note,
               fmt::format("few directions carry the noise: ask for {} units", e.units_advised));
    estimate.value *= scale;
    estimate.low *= scale;
    estimate.high *= scale;
    estimate.n = result.units * examples;
    result.records.push_back(with_estimate(std::move(m), estimate));
  };
  const std::string inverted = "inverted tests of a weighted χ²";
  const std::string plain = "t, delete-one-unit jackknife";
  const std::string squared = aspect.in_function_space()  ? "squared motion"
                              : row.metric == "euclidean" ? "squared gradient"
                                                          : "g²/(√v + ε)";
  add("signal", squared, e.signal, inverted);
  add("total_variance", squared, e.trace_total, plain);
  add("snr_per_example", "1", e.snr_per_example, inverted);
  if (result.draws > 1) {
    add("data_variance", squared, e.trace_data, plain);
    add("objective_variance", squared, e.trace_objective, plain);
    add("objective_share", "1", e.objective_share, plain);
    add("headroom", "1", headroom(e.objective_share, std::numeric_limits<double>::infinity()),
        "(A + E)/A, image of the share's interval");
  }
  if (e.levels) {
    add("level_variance", squared, e.levels->trace_level, plain);
    add("pattern_variance", squared, e.levels->trace_pattern, plain);
    add("level_share", "1", e.levels->level_share, plain);
  }
  add("snr_per_gflop", "1/GFLOP", e.snr_per_example, inverted, 1e9 / source_.flops_per_example());
  add("effective_dimension", "1", e.effective_dimension, plain);
}

void SnrMeasurement::add_products(const PartProducts& products, const std::string& group,
                                  Weights weights, const SnrAspect& aspect,
                                  SnrResult& result) const {
  const std::string by = aspect.by_band() ? "band" : "level";
  const std::vector<std::string> names = aspect.by_band() ? source_.parts() : levels_.parts();
  const auto add = [&](const std::string& quantity, const std::string& unit, Estimate estimate,
                       double scale, std::map<std::string, std::string> labels) {
    Measurement m = subject_.measurement("objective_snr", quantity, unit);
    labels.insert({{"group", group}, {"metric", "euclidean"}, {"weights", to_string(weights)}});
    m.labels = std::move(labels);
    m.method = fmt::format(
        "products of different units, {} units of {} examples × {} draws; t, delete-one-unit "
        "jackknife",
        result.units, result.examples_per_unit * result.blocks, result.draws);
    m.note = aspect.note;
    estimate.value *= scale;
    estimate.low *= scale;
    estimate.high *= scale;
    estimate.n = result.units * result.examples_per_unit * result.blocks;
    result.records.push_back(with_estimate(std::move(m), estimate));
  };
  // A level's share of the whole is G_level / L; its records are about G_level itself.
  const double level_scale = aspect.by_band() ? 1 : static_cast<double>(products.parts);
  for (int64_t k = 0; k < products.parts; ++k)
    for (int64_t l = k + 1; l <= products.parts; ++l) {
      const bool whole = l == products.parts;
      const std::map<std::string, std::string> labels = {
          {by, names[static_cast<size_t>(k)]},
          {"with", whole ? "whole" : names[static_cast<size_t>(l)]}};
      const size_t at = products.at(k, l);
      add("signal_product", "squared gradient", products.signal[at],
          whole ? level_scale : level_scale * level_scale, labels);
      if (!std::isnan(products.alignment[at].value))
        add("alignment", "1", products.alignment[at], 1, labels);
      if (aspect.by_band()) add("noise_product", "squared gradient", products.noise[at], 1, labels);
    }
  if (aspect.by_band()) return;
  add("within_level_variance", "squared gradient", products.within, 1, {});
  add("between_level_variance", "squared gradient", products.between, 1, {});
}

}  // namespace assay
