// Structural bits of data under a scaling law: what a model learns of them, apart from what stays
// random to it. Finzi et al. (2026, arXiv:2601.03220), "epiplexity"; no training beyond the law's.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "assay/law/intervals/bootstrap.h"

namespace assay {

/// The part of a law that falls with data while the model stays: B D^-b. In the notation
/// E + (D0/D)^b, B = D0^b.
struct DataTerm {
  double coefficient = 0;  // B, loss · D^b
  double exponent = 0;     // b
};

/// Of "chinchilla", "tied", and of D alone "floor_power" and "power"; nothing for other forms, in
/// which what falls with data depends on the model ("outer", the repetition laws) or is no single
/// power.
std::optional<DataTerm> data_term(const Form& form, std::span<const double> parameters);

/// S(D) = ∫₀ᴰ (L(x) − L(D)) dx = b/(1−b) B D^(1−b): the excess code length of D data coded while
/// they are learned over the same data under the final model. Unit: that of the loss, where the
/// loss is per datum of D (nats per token with D in tokens: nats). The floor E is entropy, not
/// structure, and cancels, as does the model term. Throws Error law.epiplexity where D is not
/// above zero, B is negative, or b is not in (0, 1): from b = 1 on the area under the law is
/// infinite.
double structural_information(const DataTerm& term, double data);

/// The part of S(data) that lies at x < seen, of which the law was not fitted to any data:
/// ((1 − b) / b) (u^(1−b)/(1−b) − u) with u = seen/data; 1 where seen >= data.
double extrapolated_share(const DataTerm& term, double seen, double data);

/// What a table says of its units (TableRows), "unknown" where it says nothing.
struct LawUnitNames {
  std::string loss = "unknown";  // "nats", "bits per token", …
  std::string data = "unknown";  // "tokens", "examples", …
};

struct BitsPerLoss {
  double factor = 0;    // 1/ln 2 for nats, 1 for bits
  std::string failure;  // not empty: why there is no factor, and what to do
};
/// A loss "per X" must be per datum of D; a loss in plain nats or bits is taken to be.
BitsPerLoss bits_per_loss(const LawUnitNames& units);

/// S in bits at the largest D of the rows.
struct StructuralBits {
  std::string failure;  // not empty: why there is no number
  double data = 0;      // D
  double bits = 0;
  /// 95% percentiles of the resamples' S at the same D; `high` is infinite where more than 2.5% of
  /// them have b >= 1. Nothing without resamples.
  std::optional<LawLimits> limits;
  double extrapolated = 0;  // share of `bits` that lies below the smallest D of the rows
};

/// Nothing for laws without a column of data. Rows that diverged or hold an upper bound count for
/// no D. Where data were seen several times (D > U), and where the fit is not usable or its
/// exponents not identified (`identified`), the result says so.
std::optional<StructuralBits> structural_bits(const LawProblem& problem, const LawFit& fit,
                                              bool identified, const LawBootstrap* resamples,
                                              std::span<const Observation> rows,
                                              const LawUnitNames& units);

/// L = E + A N^-alpha + B D^-b, in nats per datum.
struct NatsLaw {
  double floor = 0, model_coefficient = 0, model_exponent = 0;
  DataTerm data;
};

/// Structure and randomness of `target` data to a learner of bounded compute.
struct BoundedInformation {
  double structural_bits = 0;  // S_T(D*) = b/(1−b) B D*^(1−b)/ln 2
  double random_bits = 0;      // H_T = target · L(N*, D*)/ln 2
  double data_size = 0;        // D*, trained on
  double model_size = 0;       // N* = C/(6 D* + 2 target): training and one pass over the target
};

/// Minimises S + H over D under C = 6 N D + 2 N target: the unique root of
/// b B (target − D) D^(−b−1) = 3 alpha A target (2/C)^alpha (3 D + target)^(alpha−1). Throws Error
/// law.epiplexity as structural_information does, and where A or alpha is not above zero.
BoundedInformation bounded_information(const NatsLaw& law, double compute, double target);

}  // namespace assay
