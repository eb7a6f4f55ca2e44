// assay measure snr: the noise view of a trained trial, as precise as asked.
#include "assay/tensor/torch.h"

#include "assay/study/measure_snr.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/study/measured_step.h"

namespace assay {
namespace {

using Json = nlohmann::json;

double training_flops(const TrainConfig& train, double flops_per_example) {
  return flops_per_example * static_cast<double>(train.batch * steps_of(train, flops_per_example));
}

std::string about(const SnrAspect& aspect) {
  if (aspect.level) return fmt::format("level {}", *aspect.level);
  if (aspect.side_by_side()) return "levels side by side";
  if (aspect.in_function_space()) return "function space";
  return aspect.by_band() ? "bands" : "whole";
}

Json cost_record(const SnrResult& result, const SnrAspect& aspect, Weights weights, int64_t step,
                 const SnrRequest& request) {
  return {{"kind", "measuring"},
          {"command", "snr"},
          {"step", step},
          {"weights", to_string(weights)},
          {"about", about(aspect)},
          {"units", result.units},
          {"examples_per_unit", result.examples_per_unit},
          {"draws", result.draws},
          {"patterns", result.patterns},
          {"blocks", result.blocks},
          {"looks", result.looks},
          {"of", request.of == NoiseQuantity::snr ? "snr" : "share"},
          {"asked_half_width", request.half_width},
          {"half_width", std::isfinite(result.half_width) ? Json(result.half_width) : Json()},
          {"stopped_by", result.stopped_by},
          {"measuring_flops", result.flops}};
}

/// One set of weights and one resolution.
struct Task {
  Weights weights;
  SnrAspect aspect;
  double first;  // FLOPs of the first block
};

std::vector<Task> tasks_of(const SnrMeasurement& measurement, const SnrRequest& request) {
  std::vector<Task> tasks;
  for (const Weights weights : request.weights)
    for (const SnrAspect& aspect : measurement.aspects())
      tasks.push_back({weights, aspect, measurement.flops_per_block(aspect)});
  return tasks;
}

double budget_of(const SnrRequest& request, const std::vector<Task>& tasks, double of_training) {
  double first = 0;
  for (const Task& task : tasks) first += task.first;
  if (!request.budget_flops) return std::max(first, SnrRequest::kDefaultShare * of_training);
  if (*request.budget_flops < first)
    throw Error("usage.budget",
                fmt::format("a budget of {:.3g} GFLOP does not pay for the first blocks, which "
                            "cost {:.3g}",
                            *request.budget_flops / 1e9, first / 1e9),
                "raise --budget, or measure fewer --units, --weights or --by");
  return *request.budget_flops;
}

Json measure_step(const OpenTrial& trial, int64_t step, const SnrRequest& request) {
  Subject subject = subject_at(trial, step);
  SnrMeasurement measurement(subject, request.plan);
  const std::vector<Task> tasks = tasks_of(measurement, request);
  double left = budget_of(
      request, tasks, training_flops(trial.config.train, measurement.source().flops_per_example()));
  double firsts = 0;
  for (const Task& task : tasks) firsts += task.first;

  std::vector<Measurement> measurements;
  std::vector<Json> costs;
  for (size_t i = 0; i < tasks.size(); ++i) {
    // What is left above the first blocks still to come, shared out evenly.
    const Task& task = tasks[i];
    const double spare = std::max(0.0, left - firsts) / static_cast<double>(tasks.size() - i);
    const SnrTarget target{request.of, request.half_width, task.first + spare};
    const SnrResult result = measurement.measure(task.weights, task.aspect, target);
    left -= result.flops;
    firsts -= task.first;
    measurements.insert(measurements.end(), result.records.begin(), result.records.end());
    costs.push_back(cost_record(result, task.aspect, task.weights, step, request));
  }
  return record_step(trial, subject, measurements, costs);
}

}  // namespace

nlohmann::json measure_snr(const OpenTrial& trial, const SnrRequest& request) {
  const std::vector<int64_t> steps = request.all_steps
                                         ? snapshot_steps(trial.folder)
                                         : std::vector<int64_t>{chosen_step(trial, request.step)};
  if (steps.empty()) chosen_step(trial, std::nullopt);  // throws: there is no snapshot
  Json measured = Json::array();
  for (const int64_t step : steps) measured.push_back(measure_step(trial, step, request));
  return measured_answer(trial, std::move(measured));
}

}  // namespace assay
