// A trial in its folder, opened for training or for measuring.
#include "assay/tensor/torch.h"

#include "assay/study/trial_subject.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "assay/store/files.h"
#include "assay/study/environment.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

std::unique_ptr<Dataset> open_dataset(const Node& data, Split split, const std::string& base) {
  const DatasetEntry& entry = dataset_entry(data, "data");
  return entry.make(Options(data, entry.options, "data"), split, base);
}

}  // namespace

std::shared_ptr<Objective> OpenTrial::make() const {
  return make_objective(config.objective, config.model, config.shape,
                        Seed(config.train.seed).child("initialisation"));
}

OpenTrial open_trial(const fs::path& folder, const std::string& base) {
  OpenTrial trial;
  trial.folder = folder;
  trial.config =
      read_trial(from_json(nlohmann::json::parse(read_file(folder / "config.json"))), base);
  trial.train = open_dataset(trial.config.data, Split::train, base);
  trial.heldout = open_dataset(trial.config.data, Split::heldout, base);
  return trial;
}

int64_t chosen_step(const OpenTrial& trial, std::optional<int64_t> step) {
  const std::vector<int64_t> steps = snapshot_steps(trial.folder);
  if (steps.empty())
    throw Error("usage.no_snapshot",
                fmt::format("{} holds no snapshot: nothing of `{}` can be measured yet",
                            trial.folder.string(), trial.config.name),
                "a trial writes its first one at the first fraction of measure.at: train it with "
                "`assay run`");
  if (!step) return steps.back();
  if (std::ranges::find(steps, *step) == steps.end())
    throw Error("usage.step",
                fmt::format("`{}` has no snapshot at step {}", trial.config.name, *step),
                fmt::format("snapshots exist at {}", fmt::join(steps, ", ")));
  return *step;
}

Subject subject_at(const OpenTrial& trial, std::optional<int64_t> step) {
  const int64_t at = chosen_step(trial, step);
  check_data(trial.folder, trial.train->info().hash, trial.heldout->info().hash);
  const auto objective = trial.make();
  Subject::State state =
      load_snapshot(snapshot_path(trial.folder, at), *objective, trial.config.train);
  return Subject([&trial] { return trial.make(); }, std::move(state), *trial.train, *trial.heldout,
                 trial.seed().child("meters"));
}

}  // namespace assay
