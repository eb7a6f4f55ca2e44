// What a study's trials say of scaling: a table for each outcome, a row for each trial.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/law/table/observation.h"
#include "assay/store/study_folder.h"

namespace assay {

/// One outcome of a study's trials. Observations are grouped by objective and by the settings that
/// tell trials of one objective apart, other than size, budget and seed; a trial is a run.
struct StudyOutcome {
  std::string name;         // "bit deficit" | "own loss"
  std::string readout;      // of the bit deficit; "" = none
  std::string unit;         // of the loss; "" = it differs between objectives
  bool comparable = false;  // the same quantity for all objectives
  std::vector<Observation> rows;
  std::vector<std::string> warnings;
};

/// Which measurements of a trial are rows.
enum class StudyRows {
  last,         // the last one
  checkpoints,  // all after the first step, as rows of one run
};

/// The bit deficit by readout, which all objectives share, then each objective's own held-out loss
/// per target, which no two do; of an objective of several terms each term's, a group of its own.
///
/// N = trained parameters of the trunk (of everything trained where the folder does not tell),
/// D = examples seen, U = different ones among them, C = FLOPs of training; of averaged weights. A
/// trial that did not complete counts from where it was last measured, as an upper bound; a
/// diverged one is counted and not fitted; one that was never measured after its first step is left
/// out, with a warning. Checkpoints before the last stand before the decay of the learning rate,
/// above what a run of their length would reach, which a warning says. factor: "all", "content",
/// "position", or the name of one.
///
/// Throws Error law.no_outcome where nothing was measured, usage.factor for a factor that was not.
std::vector<StudyOutcome> study_outcomes(const StudyFolder& study,
                                         const std::string& factor = "all",
                                         StudyRows rows = StudyRows::last);

}  // namespace assay
