// A planned sweep as a study file.
#pragma once

#include <string>
#include <vector>

#include "assay/law/plan/sweep.h"

namespace assay::cli {

/// Trunks that a study can name, and the data of the study that is written.
struct StudyShape {
  int depth = 4, heads = 4;
  // Trunks need multiples of 4, decoders of half their width too.
  static constexpr int kWidthStep = 8;
  static constexpr int kBatch = 64, kPatch = 8, kSide = 32;
  static constexpr int kTokens = (kSide / kPatch) * (kSide / kPatch);  // of an image

  /// Nearest in log N of the widths that are multiples of 8 and of `heads`, with N = 12 depth
  /// width²: what the blocks of a transformer have, without embeddings, norms and biases.
  int width(double model_size) const;
  double parameters(int width) const;
  /// Widths that exist, and whole batches.
  SizeRounding rounding() const;
};
/// Throws Error usage.depth, usage.heads below 1.
void check_shape(const StudyShape& shape);

/// TOML that `assay run` takes: one [[objective]] entry for the widths that share budgets and
/// seeds, further seeds in entries of their own, as in studies/scaling.toml. Every example is seen
/// once. `comments`: lines at its head. Throws Error usage.objective for a name that TOML would not
/// take as it is.
std::string study_text(const Sweep& sweep, const StudyShape& shape,
                       const std::vector<std::string>& objectives,
                       const std::vector<std::string>& comments);

}  // namespace assay::cli
