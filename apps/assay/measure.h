// assay measure: what can be measured of trials that were trained.
#pragma once

#include <string>
#include <vector>

#include "apps/assay/command.h"
#include "assay/store/study_folder.h"

namespace assay::cli {

/// What DIR[/TRIAL] names.
struct MeasuredTrials {
  StudyFolder study;
  std::vector<TrialFolder> trials;    // that one, or every completed one of the study
  std::vector<std::string> left_out;  // names of those that are not completed
};
/// given: a study folder, or one followed by a trial's id or name (demo/mae/seed=0), or a path to
/// the trial's folder. Throws Error store.read where there is no study, usage.unknown_name for an
/// unknown trial, usage.no_trial where nothing is completed.
MeasuredTrials measured_trials(const std::string& given);
/// As above, but one trial. Throws Error usage.one_trial where several are meant.
MeasuredTrials measured_trial(const std::string& given);

/// "--trial", its folder, "--base", the study's.
std::vector<std::string> trial_arguments(const MeasuredTrials& measured, const TrialFolder& trial);

/// One line on stderr, unless --quiet or --no-progress.
void tell(const std::string& text, const Globals& globals);

void add_measure_snr(CLI::App& measure, const Globals& globals, Command& run);
void add_measure_drive(CLI::App& measure, const Globals& globals, Command& run);
void add_measure_gradients(CLI::App& measure, const Globals& globals, Command& run);

}  // namespace assay::cli
