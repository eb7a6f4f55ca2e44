// A fitted law as the guess of a plan.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "assay/law/plan/precision.h"

namespace assay {

struct StoredGuess {
  LawGuess law;
  double sigma = 0;          // of the fit's residuals or replicates
  bool identifiable = true;  // false: the guess is the fit's minimum, for want of better
  std::string group;
  std::optional<double> flops_per;  // k of the law's own rows, where the file says it
};

/// Reads what `assay fit -o FILE` has written: the minimum ("fitted", identifiable or not) and σ.
/// `group`: which law of several; empty = the only one. axis: the column that the
/// sweep varies, where it varies one. Throws Error data.missing_file, data.not_a_law, usage.group
/// (several laws and no name, or an unknown one), usage.range (a law of one column that is not
/// `axis`), law.unusable (the fit failed).
StoredGuess read_guess(const std::filesystem::path& path, const std::string& group, LawAxis axis);

}  // namespace assay
