// assay measure: what can be measured of trials that were trained.
#pragma once

#include <fmt/format.h>

#include <functional>
#include <string>
#include <vector>

#include "apps/assay/command.h"
#include "assay/core/records.h"
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

/// Command line of `assay-worker measure WHAT` for one trial.
class WorkerArguments {
 public:
  WorkerArguments(const std::string& what, const MeasuredTrials& measured,
                  const TrialFolder& trial);
  /// --name=value; left out where the value is an empty text.
  template <typename Value>
  void add(const std::string& name, const Value& value) {
    if (const std::string text = fmt::format("{}", value); !text.empty())
      all_.push_back("--" + name + "=" + text);
  }
  void flag(const std::string& name) { all_.push_back("--" + name); }
  const std::vector<std::string>& all() const { return all_; }

 private:
  std::vector<std::string> all_;
};

/// The exit code of `work`, or of an interruption, after telling what it left.
int unless_interrupted(const std::string& left, const Globals& globals,
                       const std::function<int()>& work);

/// "0.012 [0.01, 0.014]"; a dash where there is no value.
std::string interval_text(const Measurement& m);

/// One line on stderr, unless --quiet or --no-progress.
void tell(const std::string& text, const Globals& globals);

void add_measure_snr(CLI::App& measure, const Globals& globals, Command& run);
void add_measure_difference(CLI::App& measure, const Globals& globals, Command& run);
void add_measure_drive(CLI::App& measure, const Globals& globals, Command& run);
void add_measure_gradients(CLI::App& measure, const Globals& globals, Command& run);

}  // namespace assay::cli
