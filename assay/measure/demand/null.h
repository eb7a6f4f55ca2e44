// The best prediction of a target that does not see the input.
#pragma once

#include <array>

#include "assay/objective/comparing.h"

namespace assay::demand {

/// The null predictor of one term: a constant of place (and of noise level, where the target
/// depends on it), fitted on targets alone:
///   squared error        the mean, and for a density also the logarithm of the mean squared error
///   cosine, smooth L1    mean direction, Huber's location
///   cross-entropy        log frequencies by place, drawn to those of all places as far as one fold
///                        of the examples predicts the other
///   contrast             all candidates alike
///
/// A fit to n rows loses about c/n against the best constant on rows that it did not see. Rows
/// alternate between folds A and B, and losses are 2 ℓ(A ∪ B) − (ℓ(A) + ℓ(B))/2: free of that
/// excess to first order, and for squared errors, where it is (y − m_A)·(y − m_B), exactly.
class Null {
 public:
  /// Keeps targets: rows × targets numbers until fit().
  void add(const Compared& compared);
  /// Throws Error measure.too_few_examples with less than kFewestRows rows.
  void fit();
  int64_t rows() const { return rows_; }

  /// [B, columns of the term] float64, unbiased as above. REQUIRES fit().
  Tensor loss(const Compared& compared) const;
  /// Of the fit to all rows alone, which is too large on new rows and too small on its own. For
  /// tests.
  Tensor plain_loss(const Compared& compared) const { return loss_of(whole, compared); }

  static constexpr int64_t kFewestRows = 8;

 private:
  enum Fold { first, second, whole };
  struct Fitted {
    Tensor table;         // [groups · places, outputs] float64
    Tensor log_variance;  // [variances] of a density; undefined otherwise
  };
  /// Row of the table for each token. [B · n]
  Tensor cells(const Compared& compared) const;
  int64_t table_rows() const { return groups_ * places_; }
  Tensor mean_table(Fold fold, bool directions) const;
  Tensor huber_table(Fold fold) const;
  Tensor counts(Fold fold) const;
  void fit_frequencies();
  Tensor fit_log_variance(Fold fold, const Tensor& table) const;
  Tensor prediction(const Tensor& table, const Compared& compared) const;
  Tensor loss_of(Fold fold, const Compared& compared) const;

  NullForm form_;
  int64_t rows_ = 0, places_ = 1, groups_ = 1, outputs_ = 0;
  std::vector<Compared> kept_;
  std::array<Fitted, 3> fitted_;
};

}  // namespace assay::demand
