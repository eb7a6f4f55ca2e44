// One trial from its first step to its outcome.
#include "assay/train/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/stats/kernels.h"
#include "assay/train/checkpoint.h"

namespace assay {
namespace {

using Clock = std::chrono::steady_clock;
constexpr double kExplosion = 100;  // times the scale of the first loss
constexpr int64_t kStepRecords = 200;
constexpr double kTimingSeconds = 2;

double since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t step_of(double fraction, int64_t steps) {
  return static_cast<int64_t>(std::llround(fraction * static_cast<double>(steps)));
}

}  // namespace

Trainer::Trainer(std::function<std::shared_ptr<Objective>()> make, const TrainConfig& config,
                 const Dataset& train, const Dataset& heldout, std::vector<double> fractions,
                 std::filesystem::path folder, TrainerHooks hooks)
    : make_(std::move(make)),
      config_(config),
      train_(train),
      heldout_(heldout),
      fractions_(std::move(fractions)),
      folder_(std::move(folder)),
      hooks_(std::move(hooks)),
      objective_(make_()),
      flat_(*objective_),
      optimizer_(*objective_, flat_, config),
      averaged_(flat_.values().clone()),
      accumulated_(torch::zeros_like(flat_.values())),
      layout_(flat_.groups(), flat_.size()),
      steps_(steps_of(config, objective_->flops_per_example())),
      log_every_(std::max<int64_t>(1, steps_ / kStepRecords)),
      seed_(Seed(config.seed).child("trial")) {
  std::sort(fractions_.begin(), fractions_.end());
}

double Trainer::seconds() const { return since(started_); }

Outcome Trainer::run() {
  started_ = last_checkpoint_ = last_timing_ = Clock::now();
  resume();
  started_at_step_ = ledger_.step;
  while (true) {
    measure_if_due();
    if (ledger_.step == steps_) return finish("completed", "");
    const StepResult result = train_step();
    if (const auto reason = divergence(result)) return finish("diverged", *reason);
    update_averages();
    record_step(result);
    if (since(last_timing_) > kTimingSeconds) record_timing();
    const bool stop = hooks_.stop && hooks_.stop->load();
    if (stop || since(last_checkpoint_) > hooks_.checkpoint_seconds) checkpoint();
    if (stop) throw Interrupted{};
    if (hooks_.time_limit_seconds > 0 && seconds() > hooks_.time_limit_seconds)
      return finish("timed_out", fmt::format("time limit of {} s", hooks_.time_limit_seconds));
  }
}

Trainer::StepResult Trainer::train_step() {
  const int64_t step = ledger_.step;
  const double progress = static_cast<double>(step) / static_cast<double>(steps_);
  StepResult result;
  result.loss = accumulate_gradients(step, progress);
  if (!std::isfinite(result.loss)) return result;
  {
    torch::NoGradGuard no_grad;
    flat_.gradients().copy_(accumulated_).div_(static_cast<double>(microbatches()));
  }
  result.gradient_norm = optimizer_.step(flat_, learning_rate(config_, step, steps_));
  ++ledger_.step;
  objective_->after_step(ledger_.step, steps_);
  ledger_.examples += config_.batch;
  ledger_.unique_examples = std::min(ledger_.examples, train_.size());
  ledger_.tokens += config_.batch * objective_->tokens_per_example();
  ledger_.training_flops += static_cast<double>(config_.batch) * objective_->flops_per_example();
  return result;
}

/// accumulated_ = Σ_j g_j over the step's microbatches; returns the mean loss.
double Trainer::accumulate_gradients(int64_t step, double progress) {
  const Draw draw = Draw::from(seed_.child("draws").child(static_cast<uint64_t>(step)), progress);
  const auto ids = ids_of_step(seed_.child("order"), train_.size(), config_.batch, step);
  const std::span<float> sum(accumulated_.data_ptr<float>(),
                             static_cast<size_t>(accumulated_.numel()));
  std::vector<double> norms(flat_.groups().size());
  double loss_sum = 0;
  accumulated_.zero_();
  for (int64_t j = 0; j < microbatches(); ++j) {
    const auto fetch_started = Clock::now();
    const Batch batch = train_.get(std::span(ids).subspan(
        static_cast<size_t>(j * config_.microbatch), static_cast<size_t>(config_.microbatch)));
    data_seconds_ += since(fetch_started);
    flat_.zero_gradients();
    const Tensor loss = training_loss(*objective_, objective_->losses(batch, draw), progress);
    loss.backward();
    loss_sum += loss.item<double>();
    accumulate_and_norm(sum, flat_.gradient_span(), layout_, norms);
    // A gradient that is not finite ends the trial after this step; observers never see it.
    if (hooks_.gradients && std::isfinite(loss_sum + norms[0] + norms[1]))
      hooks_.gradients->microbatch(step, norms);
  }
  if (hooks_.gradients) {
    squared_norms(sum, {}, layout_, norms);
    if (std::isfinite(loss_sum + norms[0] + norms[1])) hooks_.gradients->batch(step, norms);
  }
  return loss_sum / static_cast<double>(microbatches());
}

/// Exponential moving average with time constant τ = averaging × steps; before τ steps the plain
/// mean, so that the initial weights never linger.
void Trainer::update_averages() {
  torch::NoGradGuard no_grad;
  const double horizon = std::max(1.0, config_.averaging * static_cast<double>(steps_));
  const double weight = 1.0 / std::min(horizon, static_cast<double>(ledger_.step));
  averaged_.lerp_(flat_.values(), weight);
}

std::optional<std::string> Trainer::divergence(const StepResult& result) {
  if (!std::isfinite(result.loss))
    return fmt::format("the loss of step {} is not finite", ledger_.step + 1);
  if (!std::isfinite(result.gradient_norm))
    return fmt::format("the gradient of step {} is not finite", ledger_.step);
  if (ledger_.step == 1) first_loss_ = result.loss;
  const double scale = std::max(std::abs(first_loss_), 1e-6);
  if (result.loss - first_loss_ > kExplosion * scale)
    return fmt::format(
        "the loss of step {} is {:.4g}, more than {:.0f} times that of the first step",
        ledger_.step, result.loss, kExplosion);
  return std::nullopt;
}

void Trainer::record_step(const StepResult& result) {
  loss_sum_ += result.loss;
  ++loss_count_;
  if (ledger_.step % log_every_ != 0 && ledger_.step != steps_) return;
  records_->append({{"kind", "step"},
                    {"step", ledger_.step},
                    {"loss", loss_sum_ / static_cast<double>(loss_count_)},
                    {"steps_averaged", loss_count_},
                    {"gradient_norm", result.gradient_norm},
                    {"learning_rate", learning_rate(config_, ledger_.step - 1, steps_)},
                    {"flops", ledger_.training_flops}});
  loss_sum_ = 0;
  loss_count_ = 0;
}

void Trainer::record_timing() {
  last_timing_ = Clock::now();
  const double training = seconds() - measuring_seconds_;
  const auto steps = static_cast<double>(ledger_.step - started_at_step_);
  timing_->append({{"kind", "timing"},
                   {"step", ledger_.step},
                   {"from_step", started_at_step_},
                   {"seconds", seconds()},
                   {"training_seconds", training},
                   {"data_seconds", data_seconds_},
                   {"measuring_seconds", measuring_seconds_},
                   {"steps_per_second", training > 0 ? steps / training : 0.0}});
}

Subject::State Trainer::subject_state(double fraction) const {
  Subject::State state;
  state.live = flat_.values().clone();
  state.averaged = averaged_.clone();
  // Before 1% of a run the moments are a handful of steps, and g / √v divides by nearly nothing.
  if (optimizer_.steps() >= std::max<int64_t>(1, steps_ / 100))
    state.second_moments = optimizer_.corrected_second_moments();
  for (const auto& [name, tensor] : objective_->state())
    state.objective.emplace_back(name, tensor.detach().clone());
  state.epsilon = config_.epsilon;
  state.batch = config_.batch;
  state.step = ledger_.step;
  state.fraction = fraction;
  state.ledger = ledger_;
  return state;
}

void Trainer::measure_if_due() {
  bool measured = false;
  while (measured_ < fractions_.size() && step_of(fractions_[measured_], steps_) <= ledger_.step) {
    Subject::State state = subject_state(fractions_[measured_]);
    const auto snapshots = folder_ / "snapshots";
    std::filesystem::create_directories(snapshots);
    std::vector<NamedBuffer> buffers = {{"parameters", state.live}, {"averages", state.averaged}};
    if (state.second_moments.defined()) buffers.push_back({"second_moments", state.second_moments});
    save_checkpoint(
        snapshots / fmt::format("{:08d}.safetensors", state.step), flat_, buffers, state.objective,
        {{"step", state.step}, {"fraction", state.fraction}, {"ledger", to_json(state.ledger)}});
    if (hooks_.meters) {
      const auto started = Clock::now();
      Subject subject(make_, std::move(state), train_, heldout_, seed_.child("meters"));
      for (const Measurement& m : hooks_.meters->measure(subject)) records_->append(to_json(m));
      for (const std::string& text : subject.notes)
        records_->append({{"kind", "note"}, {"step", ledger_.step}, {"text", text}});
      ledger_.measuring_flops += subject.flops_spent;
      measuring_seconds_ += since(started);
      for (const auto& [meter, seconds] : subject.seconds)
        timing_->append({{"kind", "meter"},
                         {"step", ledger_.step},
                         {"meter", meter},
                         {"meter_seconds", seconds}});
    }
    records_->append(to_json(ledger_));
    ++measured_;
    measured = true;
  }
  if (measured) {
    checkpoint();
    record_timing();
  }
}

void Trainer::checkpoint() {
  records_->sync();
  nlohmann::json state{{"format", 1},
                       {"ledger", to_json(ledger_)},
                       {"measured", measured_},
                       {"first_loss", first_loss_},
                       {"loss_sum", loss_sum_},
                       {"loss_count", loss_count_},
                       {"records_bytes", records_->bytes()}};
  if (hooks_.save_observer) state["gradient_observer"] = hooks_.save_observer();
  save_checkpoint(folder_ / "checkpoint.safetensors", flat_,
                  {{"parameters", flat_.values()},
                   {"averages", averaged_},
                   {"first_moments", optimizer_.first_moments()},
                   {"second_moments", optimizer_.second_moments()}},
                  objective_->state(), state);
  last_checkpoint_ = Clock::now();
}

void Trainer::resume() {
  const auto path = folder_ / "checkpoint.safetensors";
  int64_t keep = 0;
  if (std::filesystem::exists(path)) {
    const nlohmann::json state = load_checkpoint(path, flat_,
                                                 {{"parameters", flat_.values()},
                                                  {"averages", averaged_},
                                                  {"first_moments", optimizer_.first_moments()},
                                                  {"second_moments", optimizer_.second_moments()}},
                                                 objective_->state());
    ledger_ = ledger_from_json(state.at("ledger"));
    measured_ = state.at("measured");
    first_loss_ = state.at("first_loss");
    loss_sum_ = state.at("loss_sum");
    loss_count_ = state.at("loss_count");
    keep = state.at("records_bytes");
    optimizer_.restore(ledger_.step);
    if (hooks_.restore_observer) hooks_.restore_observer(state.at("gradient_observer"));
  }
  records_ = std::make_unique<RecordLog>(folder_ / "records.jsonl", keep);
  timing_ = std::make_unique<RecordLog>(folder_ / "timing.jsonl", std::nullopt);
  if (keep == 0)
    for (const std::string& note : hooks_.opening_notes)
      records_->append({{"kind", "note"}, {"step", 0}, {"text", note}});
}

Outcome Trainer::finish(const std::string& status, const std::string& reason) {
  if (status != "completed") {
    // The parameters of a diverged step are of no use; what was recorded up to it stays.
    records_->append({{"kind", "note"}, {"step", ledger_.step}, {"text", reason}});
    records_->append(to_json(ledger_));
  }
  if (status == "diverged")
    records_->sync();
  else
    checkpoint();
  record_timing();
  return {status, reason, ledger_.step};
}

}  // namespace assay
