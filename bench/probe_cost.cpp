// What measuring the noise view costs over the passes that it rests on. Prints one JSON object.
//   probe_cost PRESET WIDTH train|probe UNITS REPEATS
// train: training steps, for their peak memory. probe: one block of UNITS units of 8 examples with
// two draws, beside the same passes without looking at the gradients, alternating.
#include "assay/tensor/torch.h"

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "assay/core/memory.h"
#include "assay/measure/snr_measurement.h"
#include "assay/stats/noise_accumulator.h"
#include "assay/train/stepper.h"
#include "bench/trainee.h"

using namespace assay;

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double peak_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void train(const bench::Trainee& trainee, int64_t repeats, nlohmann::json& out) {
  TrainConfig config;
  config.batch = bench::Trainee::kBatch;
  config.microbatch = bench::Trainee::kMicrobatch;
  Stepper stepper(trainee.objective(), config, *trainee.data, Seed(1));
  for (int64_t step = 0; step < repeats; ++step) stepper.step(step);
  out["peak_mb"] = peak_mb();
}

Subject subject_of(const bench::Trainee& trainee) {
  Subject::State state;
  const auto objective = trainee.objective();
  const FlatParameters flat(*objective);
  state.live = flat.values().clone();
  state.averaged = flat.values().clone();
  state.first_moments = torch::zeros_like(state.live);
  state.raw_second_moments = torch::full_like(state.live, 1e-6);
  state.train.batch = bench::Trainee::kBatch;
  state.steps = 1000;
  state.step = 250;
  state.fraction = .25;
  return {[&trainee] { return trainee.objective(); }, std::move(state), *trainee.data,
          *trainee.data, Seed(1)};
}

/// The passes of a block, with the same examples and draws; gradients stay where autograd puts
/// them.
void bare_passes(SnrMeasurement& measurement, Subject& subject, const SnrAspect& whole) {
  const std::vector<int64_t> ids = measurement.examples(whole, 0);
  const auto size = static_cast<size_t>(measurement.plan().examples_per_unit);
  for (int64_t unit = 0; unit < whole.units; ++unit)
    for (int64_t j = 0; j < measurement.plan().draws; ++j) {
      const Draw draw = Draw::from(draw_seed(measurement.draws(whole), unit, j), .25);
      const Batch batch =
          measurement.data().get(std::span(ids).subspan(static_cast<size_t>(unit) * size, size));
      Objective& objective = subject.objective();
      subject.parameters().differentiate(
          training_loss(objective, objective.losses(batch, draw), draw.progress));
    }
}

void probe(const bench::Trainee& trainee, int64_t units, int64_t repeats, nlohmann::json& out) {
  Subject subject = subject_of(trainee);
  SnrPlan plan;
  plan.units = units;
  plan.examples_per_unit = bench::Trainee::kMicrobatch;
  plan.draws = 2;
  plan.level_units = plan.band_units = 0;
  plan.max_memory_mb = 8192;
  SnrMeasurement measurement(subject, plan);
  const SnrAspect whole = measurement.aspects().front();
  std::vector<double> bare, measured;
  for (int64_t i = 0; i < repeats; ++i) {
    auto start = Clock::now();
    measurement.measure(Weights::averaged, whole);
    measured.push_back(milliseconds(start));
    start = Clock::now();
    bare_passes(measurement, subject, whole);
    bare.push_back(milliseconds(start));
  }
  std::vector<double> overheads;
  for (size_t i = 0; i < bare.size(); ++i) overheads.push_back(measured[i] / bare[i] - 1);
  out["peak_mb"] = peak_mb();
  out["units"] = whole.units;
  out["bare_ms"] = median(bare);
  out["probe_ms"] = median(measured);
  out["overhead"] = median(overheads);
  out["gradient_mb"] = static_cast<double>(subject.parameters().size()) * 4 / (1 << 20);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: probe_cost PRESET WIDTH train|probe UNITS REPEATS\n");
    return 2;
  }
  keep_freed_memory();  // as assay-worker does
  at::set_num_threads(1);
  const bench::Trainee trainee(argv[1], std::stoll(argv[2]));
  nlohmann::json out{{"preset", argv[1]}, {"width", trainee.model.width}};
  if (std::string(argv[3]) == "train")
    train(trainee, std::stoll(argv[5]), out);
  else
    probe(trainee, std::stoll(argv[4]), std::stoll(argv[5]), out);
  std::printf("%s\n", out.dump().c_str());
}
