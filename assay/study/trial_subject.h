// A trial in its folder, opened for training or for measuring.
#pragma once

#include <filesystem>
#include <optional>

#include "assay/study/study.h"
#include "assay/train/snapshot.h"

namespace assay {

/// What config.json says, with its data opened.
struct OpenTrial {
  std::filesystem::path folder;
  ResolvedTrial config;
  std::unique_ptr<Dataset> train, heldout;

  /// The objective at its initial weights: the same ones at every call.
  std::shared_ptr<Objective> make() const;
  /// The stream that Trainer takes the trial's order, draws and meters from.
  Seed seed() const { return Seed(config.train.seed).child("trial"); }
};

/// folder holds config.json; base is where relative data paths start. Throws Error store.read where
/// there is no config.json.
OpenTrial open_trial(const std::filesystem::path& folder, const std::string& base);

/// The step of the snapshot to take (none: the last one). Throws Error usage.no_snapshot where
/// there is none at all, usage.step naming those that exist.
int64_t chosen_step(const OpenTrial& trial, std::optional<int64_t> step);

/// What the meters saw at a measuring step (none: the last snapshot), bit for bit: weights,
/// moments, teachers, ledger, seed. Reads the trial's files and writes none, so that it works
/// beside the process that trains it. `trial` must outlive the subject.
///
/// Throws what chosen_step throws, and Error data.changed if the data are no longer those that were
/// trained on.
Subject subject_at(const OpenTrial& trial, std::optional<int64_t> step = std::nullopt);

}  // namespace assay
