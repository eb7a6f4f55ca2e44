// Meter: what steps from a checkpoint teach (the drive view).
#include "assay/tensor/torch.h"

#include "assay/measure/drive.h"

#include <fmt/format.h>

#include "assay/core/parallel.h"
#include "assay/measure/drive/attribution.h"
#include "assay/measure/drive/drift.h"
#include "assay/measure/drive/gain_records.h"
#include "assay/measure/drive/reading.h"
#include "assay/measure/meter.h"
#include "assay/noise/noise.h"

namespace assay {
namespace {

/// The weights at one end of a branch, read by probes.
struct End {
  drive::Branch branch;
  drive::Reading reading, random_direction;
  Tensor probe_gradients;  // [K, P]; undefined without attribution
};

class Drive {
 public:
  Drive(Subject& subject, const DrivePlan& plan, const std::optional<OtherObjective>& other)
      : subject_(subject),
        plan_(plan),
        other_(other),
        make_(other ? other->make : [&subject] { return subject.make(); }),
        seed_(subject.seed().child("drive").child(static_cast<uint64_t>(subject.state().step))),
        data_(probe::probe_data(subject.heldout(), plan.split, plan.factors)) {}

  std::vector<Measurement> run() {
    start_ = other_ ? drive::adopt_trunk(subject_, make_, plan_.head_steps, seed_.child("head"))
                    : subject_.state();
    require_steps();
    ends_.resize(static_cast<size_t>(plan_.branches));
    in_parallel(plan_.threads, plan_.branches + 1, [this](int64_t task) {
      at::set_num_threads(1);
      if (task == plan_.branches)
        before_.reading = read(start_.averaged, &before_.probe_gradients);
      else
        branch(task);
    });
    return records();
  }

 private:
  void require_steps() const;
  void branch(int64_t index);
  /// gradients: filled where attribution is asked for; none = not wanted here.
  drive::Reading read(const Tensor& weights, Tensor* gradients) const;
  Tensor random_direction(const FlatParameters& flat, const Tensor& displacement,
                          Seed stream) const;
  std::vector<Measurement> records();
  void add_attribution(drive::Records& records, const std::vector<Group>& groups) const;
  double charge(const Objective& objective) const;

  Subject& subject_;
  const DrivePlan& plan_;
  const std::optional<OtherObjective>& other_;
  drive::Make make_;
  Seed seed_;
  probe::ProbeData data_;
  Subject::State start_;
  End before_;
  std::vector<End> ends_;
};

void Drive::require_steps() const {
  const int64_t left = start_.steps - start_.step;
  if (left < plan_.steps)
    throw Error("measure.branches",
                fmt::format("a branch of {} steps does not fit: the run has {} steps left after "
                            "step {}",
                            plan_.steps, std::max<int64_t>(0, left), start_.step),
                "branch from an earlier step, or take fewer steps");
}

drive::Reading Drive::read(const Tensor& weights, Tensor* gradients) const {
  const auto objective = make_();
  FlatParameters flat(*objective);
  {
    const torch::NoGradGuard no_gradient;
    flat.values().copy_(weights);
  }
  drive::Reading reading =
      drive::read(*objective, subject_.heldout(), data_, plan_.dimension, plan_.nulls);
  if (gradients && plan_.attribution_images > 0) {
    *gradients = drive::probe_gradients(*objective, flat, subject_.heldout(), data_, reading,
                                        plan_.attribution_images);
    // One pass forward and, for each factor, one backward.
    reading.flops += static_cast<double>(std::min(plan_.attribution_images, data_.task.test)) *
                     objective->feature_flops_per_example() *
                     (1 + 2 * static_cast<double>(data_.factors.size()));
  }
  return reading;
}

/// Gaussian, with the length of the displacement in every tensor of the trunk, zero in the head.
Tensor Drive::random_direction(const FlatParameters& flat, const Tensor& displacement,
                               Seed stream) const {
  Tensor out = torch::zeros_like(displacement);
  const torch::NoGradGuard no_gradient;
  for (const auto& entry : flat.entries()) {
    if (entry.name.rfind("trunk.", 0) != 0) continue;
    Tensor part = out.slice(0, entry.begin, entry.end);
    normals(stream.child(entry.name), 0, 0,
            {part.data_ptr<float>(), static_cast<size_t>(part.numel())});
    part.mul_(displacement.slice(0, entry.begin, entry.end).norm() / part.norm());
  }
  return out;
}

void Drive::branch(int64_t index) {
  End& end = ends_[static_cast<size_t>(index)];
  const Seed stream = seed_.child("branch").child(static_cast<uint64_t>(index));
  end.branch = drive::run_branch(make_, start_, subject_.train(), plan_.steps, stream,
                                 plan_.attribution_images > 0);
  const Tensor& weights = end.branch.end.averaged;
  end.reading = read(weights, &end.probe_gradients);
  if (!plan_.nulls) return;
  const auto objective = make_();
  const FlatParameters flat(*objective);
  const Tensor direction =
      random_direction(flat, weights - start_.averaged, stream.child("direction"));
  end.random_direction = read(start_.averaged + direction, nullptr);
}

double Drive::charge(const Objective& objective) const {
  const double example = objective.flops_per_example();
  const auto batch = static_cast<double>(start_.train.batch);
  // Terms differentiated apart cost a backward pass (2/3 of a training pass) each.
  const double passes = 1 + 2.0 / 3 * static_cast<double>(ends_.front().branch.terms);
  double flops = static_cast<double>(plan_.branches * plan_.steps) * batch * example * passes;
  if (other_) flops += static_cast<double>(plan_.head_steps) * batch * example;
  flops += before_.reading.flops;
  for (const End& end : ends_) flops += end.reading.flops + end.random_direction.flops;
  return flops;
}

std::vector<Measurement> Drive::records() {
  const auto objective = make_();
  const FlatParameters flat(*objective);
  std::vector<Tensor> parameters, features, gains, shuffled, random;
  for (const End& end : ends_) {
    const Tensor& start = before_.reading.log2_probability;
    parameters.push_back(end.branch.end.averaged - start_.averaged);
    features.push_back(end.reading.pooled - before_.reading.pooled);
    gains.push_back(end.reading.log2_probability - start);
    if (!plan_.nulls) continue;
    shuffled.push_back(end.reading.shuffled - before_.reading.shuffled);
    random.push_back(end.random_direction.log2_probability - start);
  }
  drive::require_different(parameters);
  subject_.flops_spent += charge(*objective);
  const double gflops =
      static_cast<double>(plan_.steps * start_.train.batch) * objective->flops_per_example() / 1e9;
  drive::Records records(subject_, data_.factors,
                         {plan_.branches, plan_.steps, gflops, other_ ? other_->name : ""});
  records.gains(gains);
  if (plan_.nulls) {
    records.null("shuffled labels", shuffled);
    records.null("random direction", random);
  }
  records.drift(drive::parameter_drift(parameters, flat.groups()), "parameters");
  records.drift(drive::feature_drift(features, before_.reading.pooled), "features");
  if (plan_.attribution_images > 0) add_attribution(records, flat.groups());
  return std::move(records.out);
}

void Drive::add_attribution(drive::Records& records, const std::vector<Group>& groups) const {
  std::vector<Tensor> gradients;
  std::vector<std::vector<drive::PathPart>> parts;
  for (const End& end : ends_) {
    gradients.push_back(end.probe_gradients);
    parts.push_back(end.branch.path);
  }
  records.attribution(drive::attribute(before_.probe_gradients, gradients, parts, groups));
}

void require_factors(const DatasetInfo& info, const std::vector<std::string>& wanted) {
  std::vector<std::string> names;
  for (const Factor& factor : info.factors) names.push_back(factor.name);
  if (names.empty())
    throw Error("measure.no_factors", "the data names no factors, so nothing can be read of them",
                "branches are measured on data with labels");
  for (const std::string& name : wanted)
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw Error("usage.unknown_name", fmt::format("the data has no factor `{}`", name),
                  suggest(name, names));
}

class DriveMeter : public Meter {
 public:
  explicit DriveMeter(DrivePlan plan) : plan_(std::move(plan)) {}

  std::vector<Measurement> measure(Subject& subject) override {
    if (probe::chosen_factors(subject.heldout().info(), plan_.factors).empty()) return {};
    // The last checkpoint of a run has nothing after it to branch into.
    if (subject.state().steps - subject.state().step < plan_.steps) return {};
    return measure_drive(subject, plan_);
  }

 private:
  DrivePlan plan_;
};

}  // namespace

std::vector<Measurement> measure_drive(Subject& subject, const DrivePlan& plan,
                                       const std::optional<OtherObjective>& other) {
  if (plan.branches < 2 || plan.steps < 1)
    throw Error("measure.branches",
                fmt::format("{} branches of {} steps have no spread", plan.branches, plan.steps),
                "take at least two branches of at least one step");
  require_factors(subject.heldout().info(), plan.factors);
  return Drive(subject, plan, other).run();
}

DrivePlan read_drive_plan(const Options& options) {
  DrivePlan plan;
  plan.branches = options.integer("branches");
  plan.steps = options.integer("steps");
  plan.split = {options.integer("train"), options.integer("validation"), options.integer("test")};
  plan.factors = probe::read_factors(options);
  plan.dimension = options.integer("dimension");
  plan.nulls = options.flag("nulls");
  plan.attribution_images = options.integer("attribution_images");
  plan.head_steps = options.integer("head_steps");
  return plan;
}

std::vector<Option> drive_options() {
  using namespace declare;
  const DrivePlan plan;
  return {integer("branches", plan.branches, at_least(2), "branches from each checkpoint"),
          integer("steps", plan.steps, at_least(1), "optimiser steps of a branch"),
          integer("train", plan.split.train, at_least(20),
                  "held-out examples that readouts are fitted on"),
          integer("validation", plan.split.validation, at_least(10),
                  "held-out examples that choose the ridge"),
          integer("test", plan.split.test, at_least(10),
                  "held-out examples that gains are measured on"),
          any("factors", "a list of names of factors to read; absent or \"all\" = every factor"),
          integer("dimension", plan.dimension, closed(2, 4096),
                  "common dimension of the features of all layers"),
          boolean("nulls", plan.nulls,
                  "also the gains of shuffled labels and of random directions of equal length"),
          integer("attribution_images", plan.attribution_images, at_least(0),
                  "test images behind the gradients that attribute gains to layers and loss terms; "
                  "0 = no attribution"),
          integer("head_steps", plan.head_steps, at_least(0),
                  "steps that train the head of another objective at the frozen trunk")};
}

namespace meters {

MeterEntry drive() {
  return {"drive",
          "bits that short branches of training add about each factor, per GFLOP, and their spread",
          drive_options(),
          [](const Options& options) -> std::unique_ptr<Meter> {
            return std::make_unique<DriveMeter>(read_drive_plan(options));
          },
          false};
}

}  // namespace meters
}  // namespace assay
