// The noise view of a subject: what the meter records and `assay measure` refines.
#include "assay/tensor/torch.h"

#include "assay/measure/snr_measurement.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/measure/estimate_record.h"
#include "assay/noise/noise.h"

namespace assay {
namespace {

constexpr int64_t kCoupledCost = 3;  // examples that a coupled objective may take, over the others'

SnrPlan fitted_plan(SnrPlan plan, const Subject::State& state, bool coupled) {
  if (!coupled) return plan;
  const int64_t affordable = kCoupledCost * plan.units * plan.examples_per_unit / state.train.batch;
  plan.examples_per_unit = state.train.batch;
  plan.units =
      std::clamp(affordable, SnrPlan::kFewestUnits, std::max(plan.units, SnrPlan::kFewestUnits));
  plan.level_units = plan.band_units = plan.aligned_units = 0;
  if (plan.function_units > 0) plan.function_units = plan.units;
  return plan;
}

/// A retained forward pass and one backward (2/3 of a training pass) for each band; a pass for each
/// level.
double passes(const SnrAspect& aspect, int64_t parts) {
  if (aspect.by_band()) return (1 + 2 * static_cast<double>(parts)) / 3;
  return static_cast<double>(parts);
}

std::string outcome_text(const SnrResult& result, const SnrTarget& target) {
  if (result.stopped_by == "half_width") return "";
  const char* quantity = target.of == NoiseQuantity::snr ? "the SNR" : "the objective's share";
  const std::string width = std::isfinite(result.half_width)
                                ? fmt::format("±{:.2g}% of {}", 100 * result.half_width, quantity)
                                : fmt::format("{} unresolved from 0", quantity);
  return fmt::format("{} ended it at {}, ±{:.2g}% was asked",
                     result.stopped_by == "data" ? "the number of examples" : "the budget", width,
                     100 * target.half_width);
}

}  // namespace

Tensor adam_weight(const Subject::State& state) {
  Tensor weight = state.second_moments();
  return weight.defined() ? weight.sqrt_().add_(state.train.epsilon).reciprocal_() : weight;
}

SnrMeasurement::SnrMeasurement(Subject& subject, const SnrPlan& plan)
    : subject_(subject),
      plan_(fitted_plan(plan, subject.state(), subject.objective().coupled())),
      source_(subject.objective(), subject.parameters(), data()),
      levels_(source_) {
  subject.objective().train();
}

Seed SnrMeasurement::seed() const {
  return subject_.seed().child("objective_snr").child(static_cast<uint64_t>(subject_.state().step));
}

Seed SnrMeasurement::draws(const SnrAspect& aspect) const {
  const Seed all = seed().child("draws");
  return aspect.level ? all.child(static_cast<uint64_t>(*aspect.level)) : all;
}

std::vector<int64_t> SnrMeasurement::examples(const SnrAspect& aspect, int64_t block) const {
  const int64_t count = aspect.units * plan_.examples_per_unit;
  std::vector<int64_t> ids;
  for (int64_t i = block * count; i < (block + 1) * count; ++i)
    ids.push_back(permuted(seed().child("examples"), data().size(), i));
  return ids;
}

std::vector<SnrAspect> SnrMeasurement::aspects() const {
  std::vector<SnrAspect> all = {fitted({"", std::nullopt, plan_.units, ""})};
  if (plan_.level_units > 0 && source_.level_bins() > 1)
    for (int bin = 0; bin < source_.level_bins(); ++bin)
      all.push_back(fitted({"level", bin, plan_.level_units, ""}));
  if (plan_.band_units > 0 && source_.parts().size() > 1)
    all.push_back(fitted({"band", std::nullopt, plan_.band_units, ""}));
  if (plan_.aligned_units > 0 && source_.level_bins() > 1)
    all.push_back(fitted({"levels", std::nullopt, plan_.aligned_units, ""}));
  if (plan_.function_units > 0 && adam_weight(subject_.state()).defined())
    all.push_back(fitted({"function", std::nullopt, plan_.function_units, ""}));
  return all;
}

GradientSource& SnrMeasurement::source_of(const SnrAspect& aspect) {
  if (aspect.side_by_side()) return levels_;
  return source_;
}

std::vector<int64_t> SnrMeasurement::function_inputs() const {
  const Dataset& heldout = subject_.heldout();
  std::vector<int64_t> ids;
  for (int64_t i = 0; i < std::min(plan_.function_inputs, heldout.size()); ++i)
    ids.push_back(permuted(subject_.seed().child("function_space"), heldout.size(), i));
  return ids;
}

FunctionSpace SnrMeasurement::function_space() {
  return {source_, subject_.objective(), subject_.parameters(),
          subject_.heldout().get(function_inputs()), adam_weight(subject_.state())};
}

int64_t SnrMeasurement::parts_of(const SnrAspect& aspect) const {
  if (aspect.side_by_side()) return std::ssize(levels_.parts());
  return aspect.by_band() ? std::ssize(source_.parts()) : 1;
}

/// Fewer units where memory or the data do not suffice; the aspect's note says so.
SnrAspect SnrMeasurement::fitted(SnrAspect aspect) const {
  const int64_t wanted = aspect.units;
  const int64_t row = source_.size() * parts_of(aspect) * static_cast<int64_t>(sizeof(float));
  const int64_t by_memory = plan_.max_memory_mb * (1 << 20) / row - 3;  // rows of scratch
  const int64_t by_data = data().size() / plan_.examples_per_unit;
  aspect.units = std::min({wanted, by_memory, by_data});
  if (aspect.units < SnrPlan::kFewestUnits)
    throw Error("measure.too_few_units",
                fmt::format("objective_snr needs {} units of {} examples, but max_memory_mb = {} "
                            "allows {} and the data {}",
                            SnrPlan::kFewestUnits, plan_.examples_per_unit, plan_.max_memory_mb,
                            std::max<int64_t>(0, by_memory), by_data),
                "raise max_memory_mb, lower examples_per_unit, or set band_units = 0");
  if (aspect.units < wanted)
    aspect.note = fmt::format("{} units instead of {}: {}", aspect.units, wanted,
                              by_memory < by_data ? "max_memory_mb" : "the data holds no more");
  return aspect;
}

double SnrMeasurement::flops_per_block(const SnrAspect& aspect) const {
  const auto gradients = static_cast<double>(aspect.units * draws_of(aspect) * patterns_of(aspect));
  const double flops = gradients * static_cast<double>(plan_.examples_per_unit) *
                       source_.flops_per_example() * passes(aspect, parts_of(aspect));
  if (!aspect.in_function_space()) return flops;
  return flops + gradients * 2 * static_cast<double>(function_inputs().size()) *
                     subject_.objective().feature_flops_per_example();
}

std::vector<NoiseUnits> SnrMeasurement::units(Weights weights, int64_t count,
                                              std::span<const int64_t> examples, Seed draws) {
  const SnrAspect whole{"", std::nullopt, count, ""};
  subject_.load(weights);
  NoiseAccumulator accumulator(
      source_, {.units = count, .examples_per_unit = plan_.examples_per_unit, .draws = plan_.draws},
      draws, subject_.state().fraction);
  accumulator.add(examples);
  subject_.flops_spent += flops_per_block(whole);
  return accumulator.units();
}

SnrResult SnrMeasurement::measure(Weights weights, const SnrAspect& aspect,
                                  const std::optional<SnrTarget>& asked) {
  // How levels stand to each other has no one interval to narrow.
  const SnrTarget* target = aspect.side_by_side() || !asked ? nullptr : &*asked;
  const Subject::State& state = subject_.state();
  subject_.load(weights);
  std::vector<DiagonalMetric> metrics;
  Tensor weight;
  if (aspect.label.empty()) weight = adam_weight(state);
  if (weight.defined()) {
    metrics.push_back({"adam", {weight.data_ptr<float>(), static_cast<size_t>(weight.numel())}});
  }
  const NoisePlan plan{.units = aspect.units,
                       .examples_per_unit = plan_.examples_per_unit,
                       .draws = draws_of(aspect),
                       .level_bin = aspect.level,
                       .by_part = aspect.by_part(),
                       .patterns = patterns_of(aspect)};
  std::optional<FunctionSpace> motions;
  if (aspect.in_function_space()) motions.emplace(function_space());
  NoiseAccumulator accumulator(motions ? *motions : source_of(aspect), plan, draws(aspect),
                               state.fraction, metrics);

  const int64_t by_data = data().size() / (aspect.units * plan_.examples_per_unit);
  PrecisionTarget precision;
  if (target) {
    const auto by_budget = static_cast<int64_t>(target->flops / flops_per_block(aspect));
    precision.of = target->of;
    precision.half_width = target->half_width;
    precision.most_blocks = std::max<int64_t>(1, std::min(by_data, by_budget));
  }
  const AdaptiveNoise noise = measure_adaptively(
      accumulator, [&](int64_t block) { return examples(aspect, block); }, precision);

  SnrResult result{.units = aspect.units,
                   .examples_per_unit = plan_.examples_per_unit,
                   .draws = draws_of(aspect),
                   .patterns = patterns_of(aspect),
                   .blocks = noise.blocks,
                   .looks = noise.looks,
                   .half_width = noise.half_width,
                   .stopped_by = !target                   ? "plan"
                                 : noise.reached           ? "half_width"
                                 : noise.blocks == by_data ? "data"
                                                           : "budget",
                   .flops = static_cast<double>(noise.blocks) * flops_per_block(aspect)};
  subject_.flops_spent += result.flops;
  SnrAspect described = aspect;
  if (target) add_note(described.note, outcome_text(result, *target));
  for (const NoiseRow& row : noise.view.rows) {
    const bool of_whole_model = row.group == "trunk" || row.group == "head";
    if (!aspect.label.empty() && !of_whole_model && !plan_.layers_of_parts) continue;
    if ((aspect.by_band() && row.part.empty()) || aspect.side_by_side()) continue;
    add_records(row, weights, described, result);
  }
  if (!aspect.by_part()) return result;
  const std::vector<PartProducts> products = accumulator.products();
  const std::vector<Group> groups = source_.groups();
  for (size_t group = 0; group < groups.size(); ++group)
    if (groups[group].name == "trunk")
      add_products(products[group], groups[group].name, weights, described, result);
  return result;
}

}  // namespace assay
