// One trial from its first step to its outcome.
#include "assay/train/trainer.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/train/snapshot.h"

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
      train_(train),
      heldout_(heldout),
      fractions_(std::move(fractions)),
      folder_(std::move(folder)),
      hooks_(std::move(hooks)),
      stepper_(make_(), config, train, Seed(config.seed).child("trial")),
      steps_(stepper_.steps()),
      log_every_(std::max<int64_t>(1, steps_ / kStepRecords)),
      meters_seed_(Seed(config.seed).child("trial").child("meters")) {
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
    const Stepper::Result result = train_step();
    if (const auto reason = divergence(result)) return finish("diverged", *reason);
    record_step(result);
    if (since(last_timing_) > kTimingSeconds) record_timing();
    const bool stop = hooks_.stop && hooks_.stop->load();
    if (stop || since(last_checkpoint_) > hooks_.checkpoint_seconds) checkpoint();
    if (stop) throw Interrupted{};
    if (hooks_.time_limit_seconds > 0 && seconds() > hooks_.time_limit_seconds)
      return finish("timed_out", fmt::format("time limit of {} s", hooks_.time_limit_seconds));
  }
}

Stepper::Result Trainer::train_step() {
  const TrainConfig& config = stepper_.config();
  const Objective& objective = stepper_.objective();
  const Stepper::Result result = stepper_.step(ledger_.step, hooks_.gradients);
  if (!std::isfinite(result.loss)) return result;
  ++ledger_.step;
  ledger_.examples += config.batch;
  ledger_.unique_examples = std::min(ledger_.examples, train_.size());
  ledger_.tokens += config.batch * objective.tokens_per_example();
  ledger_.training_flops += static_cast<double>(config.batch) * objective.flops_per_example();
  return result;
}

std::optional<std::string> Trainer::divergence(const Stepper::Result& result) {
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

void Trainer::record_step(const Stepper::Result& result) {
  loss_sum_ += result.loss;
  ++loss_count_;
  if (ledger_.step % log_every_ != 0 && ledger_.step != steps_) return;
  records_->append({{"kind", "step"},
                    {"step", ledger_.step},
                    {"loss", loss_sum_ / static_cast<double>(loss_count_)},
                    {"steps_averaged", loss_count_},
                    {"gradient_norm", result.gradient_norm},
                    {"learning_rate", learning_rate(stepper_.config(), ledger_.step - 1, steps_)},
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
                   {"data_seconds", stepper_.data_seconds()},
                   {"measuring_seconds", measuring_seconds_},
                   {"steps_per_second", training > 0 ? steps / training : 0.0}});
}

Subject::State Trainer::subject_state(double fraction) const {
  Subject::State state = stepper_.state(ledger_.step);
  state.fraction = fraction;
  state.ledger = ledger_;
  return state;
}

void Trainer::measure_if_due() {
  bool measured = false;
  while (measured_ < fractions_.size() && step_of(fractions_[measured_], steps_) <= ledger_.step) {
    Subject::State state = subject_state(fractions_[measured_]);
    save_snapshot(folder_, stepper_.flat(), state);
    if (hooks_.meters) {
      const auto started = Clock::now();
      Subject subject(make_, std::move(state), train_, heldout_, meters_seed_);
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

std::vector<NamedBuffer> Trainer::buffers() {
  return {{"parameters", stepper_.flat().values()},
          {"averages", stepper_.averaged()},
          {"first_moments", stepper_.optimizer().first_moments()},
          {"second_moments", stepper_.optimizer().second_moments()}};
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
  save_checkpoint(folder_ / "checkpoint.safetensors", stepper_.flat(), buffers(),
                  stepper_.objective().state(), state);
  last_checkpoint_ = Clock::now();
}

void Trainer::resume() {
  const auto path = folder_ / "checkpoint.safetensors";
  int64_t keep = 0;
  if (std::filesystem::exists(path)) {
    const nlohmann::json state =
        load_checkpoint(path, stepper_.flat(), buffers(), stepper_.objective().state());
    ledger_ = ledger_from_json(state.at("ledger"));
    measured_ = state.at("measured");
    first_loss_ = state.at("first_loss");
    loss_sum_ = state.at("loss_sum");
    loss_count_ = state.at("loss_count");
    keep = state.at("records_bytes");
    stepper_.optimizer().restore(ledger_.step);
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
