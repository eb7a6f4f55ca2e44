// One training step of a preset, in the parts that a trial spends its time on. Prints one JSON
// object.
//   step_time PRESET WIDTH REPEATS
#include "assay/tensor/torch.h"

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "assay/core/memory.h"
#include "assay/measure/online_snr.h"
#include "assay/stats/kernels.h"
#include "assay/train/optimizer.h"
#include "bench/trainee.h"

using namespace assay;

namespace {

using Clock = std::chrono::steady_clock;
constexpr int64_t kSteps = 10000;  // of a run; the pace of teachers depends on it

double milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Bench : bench::Trainee {
  std::shared_ptr<Objective> objective;
  std::unique_ptr<FlatParameters> flat;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<GroupLayout> layout;
  int64_t microbatch = kMicrobatch;   // the batch itself, where rows depend on each other
  std::unique_ptr<OnlineSnr> online;  // null then: it compares microbatches
  Tensor sum;
  std::vector<Tensor> parameters;

  Bench(const std::string& preset, int64_t width)
      : Trainee(preset, width), objective(Trainee::objective()) {
    flat = std::make_unique<FlatParameters>(*objective);
    optimizer = std::make_unique<Optimizer>(*objective, *flat, TrainConfig{});
    layout = std::make_unique<GroupLayout>(flat->groups(), flat->size());
    if (objective->coupled())
      microbatch = kBatch;
    else
      online = std::make_unique<OnlineSnr>(flat->groups(), kBatch / kMicrobatch, kMicrobatch,
                                           objective->flops_per_example());
    sum = torch::zeros_like(flat->values());
    for (const auto& [name, parameter] : trained_parameters(*objective))
      parameters.push_back(parameter);
  }

  /// What training would do if nobody looked at the gradients.
  void add_unobserved(const Tensor& loss) {
    const auto gradients = torch::autograd::grad({loss}, parameters, {}, false, false, true);
    const torch::NoGradGuard no_grad;
    const auto& entries = flat->entries();
    for (size_t i = 0; i < parameters.size(); ++i)
      if (gradients[i].defined())
        sum.slice(0, entries[i].begin, entries[i].end).add_(gradients[i].reshape({-1}));
  }

  /// observed: with squared norms and, unless coupled, the online SNR, as training does;
  /// unobserved: the same microbatches summed without looking; one_pass: the batch in one piece.
  enum class Way { observed, unobserved, one_pass };
  double step(int64_t index, Way way, double* data_ms) {
    const bool observed = way == Way::observed;
    const int64_t piece = way == Way::one_pass ? kBatch : microbatch;
    const auto ids = ids_of_step(Seed(1), data->size(), kBatch, index);
    const Draw draw = Draw::from(Seed(2).child(static_cast<uint64_t>(index)), 0);
    const std::span<float> total(sum.data_ptr<float>(), static_cast<size_t>(sum.numel()));
    std::vector<double> norms(flat->groups().size());
    const auto start = Clock::now();
    sum.zero_();
    for (int64_t j = 0; j < kBatch / piece; ++j) {
      const auto fetch = Clock::now();
      const Batch batch = data->get(
          std::span(ids).subspan(static_cast<size_t>(j * piece), static_cast<size_t>(piece)));
      if (data_ms) *data_ms += milliseconds(fetch);
      const Tensor loss = training_loss(*objective, objective->losses(batch, draw), 0);
      if (observed) {
        flat->accumulate(loss, *layout, total, norms);
        if (online) online->microbatch(index, norms);
      } else {
        add_unobserved(loss);
      }
    }
    if (observed) {
      squared_norms(total, {}, *layout, norms);
      if (online) online->batch(index, norms);
    }
    {
      torch::NoGradGuard no_grad;
      flat->gradients().copy_(sum).div_(static_cast<double>(kBatch / piece));
    }
    optimizer->step(*flat, 1e-3);
    objective->after_step(index + 1, kSteps);
    return milliseconds(start);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: step_time PRESET WIDTH REPEATS\n");
    return 2;
  }
  keep_freed_memory();  // as assay-worker does
  at::set_num_threads(1);
  Bench bench(argv[1], std::stoll(argv[2]));
  const int64_t repeats = std::stoll(argv[3]);
  std::vector<double> observed, plain, one_pass;
  double data_ms = 0;
  for (int64_t i = 0; i < 2; ++i) bench.step(i, Bench::Way::observed, nullptr);
  for (int64_t i = 0; i < repeats; ++i) {
    // In turn, so that none always follows the batch in one piece, which leaves cold caches.
    for (int64_t turn = 0; turn < 3; ++turn) {
      const auto way = static_cast<Bench::Way>((i + turn) % 3);
      auto& times = way == Bench::Way::observed     ? observed
                    : way == Bench::Way::unobserved ? plain
                                                    : one_pass;
      const bool first = way == Bench::Way::observed;
      times.push_back(bench.step(2 + 3 * i + turn, way, first ? &data_ms : nullptr));
    }
  }
  const double step_ms = median(observed);
  const double flops = bench.objective->flops_per_example() * static_cast<double>(bench.kBatch);
  std::vector<double> overheads, to_one_pass;
  for (size_t i = 0; i < observed.size(); ++i) {
    overheads.push_back(observed[i] / plain[i] - 1);
    to_one_pass.push_back(observed[i] / one_pass[i]);
  }
  const nlohmann::json out{
      {"preset", argv[1]},
      {"width", bench.model.width},
      {"microbatch", bench.microbatch},
      {"parameters", bench.flat->size()},
      {"step_ms", step_ms},
      {"step_without_observing_ms", median(plain)},
      {"online_share", bench.online ? nlohmann::json(median(overheads)) : nlohmann::json()},
      {"to_one_pass", median(to_one_pass)},
      {"data_share", data_ms / static_cast<double>(repeats) / step_ms},
      {"gflops", flops / step_ms / 1e6}};
  std::printf("%s\n", out.dump().c_str());
}
