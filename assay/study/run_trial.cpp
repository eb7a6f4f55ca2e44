// Runs one trial in its folder: connects data, objective, trainer and meters.
#include "assay/study/run_trial.h"

#include <fmt/format.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>

#include "assay/measure/online_snr.h"
#include "assay/store/files.h"
#include "assay/study/environment.h"
#include "assay/study/trial_subject.h"
#include "assay/train/trainer.h"

namespace assay {
namespace {

using Json = nlohmann::json;

/// All meters of a trial, in the order of the table, then the online estimate.
class Meters : public CheckpointObserver {
 public:
  Meters(std::vector<ResolvedTrial::NamedMeter>& meters, const OnlineSnr& online)
      : meters_(meters), online_(online) {}

  std::vector<Measurement> measure(Subject& subject) override {
    std::vector<Measurement> all;
    for (auto& [name, meter] : meters_) {
      const auto started = std::chrono::steady_clock::now();
      auto some = meter->measure(subject);
      subject.seconds[name] =
          std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
      all.insert(all.end(), std::make_move_iterator(some.begin()),
                 std::make_move_iterator(some.end()));
    }
    auto online = online_.measurements(subject);
    all.insert(all.end(), online.begin(), online.end());
    return all;
  }

 private:
  std::vector<ResolvedTrial::NamedMeter>& meters_;
  const OnlineSnr& online_;
};

void write_outcome(const std::filesystem::path& folder, const Outcome& outcome) {
  write_atomically(folder / "outcome.json", to_json(outcome).dump(1) + "\n");
}

std::vector<std::string> opening_notes(const Dataset& train, const Dataset& heldout,
                                       const ResolvedTrial& trial) {
  std::vector<std::string> notes;
  for (const auto* dataset : {&train, &heldout}) {
    const bool first = dataset == &train;
    for (const std::string& note : dataset->info().notes)
      notes.push_back(fmt::format("{} data: {}", first ? "training" : "held-out", note));
    if (dataset->info().skipped > 0)
      notes.push_back(fmt::format("{} data: {} entries skipped", first ? "training" : "held-out",
                                  dataset->info().skipped));
  }
  for (const auto& [name, meter] : trial.meters)
    for (const std::string& note : meter->notes(heldout)) notes.push_back(note);
  return notes;
}

Outcome train_in(const std::filesystem::path& folder, const std::string& base,
                 const std::atomic<bool>& stop) {
  OpenTrial opened = open_trial(folder, base);
  ResolvedTrial& trial = opened.config;
  const Dataset &train = *opened.train, &heldout = *opened.heldout;
  for (const std::string& difference :
       record_environment(folder, train.info().hash, heldout.info().hash))
    std::cerr << "warning: " << difference << '\n';

  const auto make = [&] { return opened.make(); };
  OnlineSnr online = [&] {
    const auto objective = make();
    return OnlineSnr(FlatParameters(*objective).groups(),
                     std::max<int64_t>(2, trial.train.batch / trial.train.microbatch),
                     trial.train.microbatch, objective->flops_per_example());
  }();
  Meters meters(trial.meters, online);

  TrainerHooks hooks;
  hooks.meters = &meters;
  // A batch in one piece (a coupled objective) shows no spread between microbatches.
  if (trial.train.batch > trial.train.microbatch) hooks.gradients = &online;
  hooks.save_observer = [&] { return online.state(); };
  hooks.restore_observer = [&](const Json& state) { online.restore(state); };
  hooks.opening_notes = opening_notes(train, heldout, trial);
  hooks.stop = &stop;
  hooks.checkpoint_seconds = trial.checkpoint_seconds;
  hooks.time_limit_seconds = trial.time_limit_seconds;
  return Trainer(make, trial.train, train, heldout, trial.fractions, folder, hooks).run();
}

}  // namespace

Outcome run_trial(const std::filesystem::path& folder, const std::string& base,
                  const std::atomic<bool>& stop) {
  const FolderLock lock(folder);
  try {
    const Outcome outcome = train_in(folder, base, stop);
    write_outcome(folder, outcome);
    return outcome;
  } catch (const Error& error) {
    // A full disk or a missing device is the machine's fault: the trial stays resumable.
    if (error.exit_code() != ExitCode::environment)
      write_outcome(folder, {"failed", error.what(), 0});
    throw;
  }
}

}  // namespace assay
