// Means over seeds.
#include "assay/report/estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/stats/interval.h"

namespace assay::report {
namespace {

bool finite(const std::optional<double>& bound) { return bound && std::isfinite(*bound); }

Estimate of_one(const Replicate& replicate) {
  Estimate estimate{.value = replicate.value, .seeds = 1, .n = replicate.n, .note = replicate.note};
  if (finite(replicate.low) && finite(replicate.high)) {
    estimate.low = replicate.low;
    estimate.high = replicate.high;
    estimate.interval = "meter";
  }
  return estimate;
}

std::string why_missing(std::span<const Replicate> replicates) {
  for (const Replicate& replicate : replicates)
    if (!replicate.note.empty()) return replicate.note;
  if (replicates.empty()) return "not measured";
  const bool any = std::any_of(replicates.begin(), replicates.end(),
                               [](const Replicate& r) { return r.counts; });
  return any ? "the meter gave no finite value" : "no trial behind it completed";
}

/// What the meters' own intervals make of one side of the mean's: √(Σ h²)/k with h = |bound −
/// value|, independent errors; 0 where a meter gave no interval.
double own_half(const std::vector<const Replicate*>& used,
                std::optional<double> Replicate::*bound) {
  double squares = 0;
  for (const Replicate* replicate : used)
    if (finite(replicate->*bound)) squares += std::pow(*(replicate->*bound) - replicate->value, 2);
  return std::sqrt(squares) / static_cast<double>(used.size());
}

}  // namespace

bool Estimate::known() const { return std::isfinite(value); }

Estimate over_seeds(std::span<const Replicate> replicates) {
  std::vector<const Replicate*> used;
  for (const Replicate& replicate : replicates)
    if (replicate.counts && std::isfinite(replicate.value)) used.push_back(&replicate);
  if (used.empty()) return {.note = why_missing(replicates)};
  if (used.size() == 1) return of_one(*used.front());

  const double count = static_cast<double>(used.size());
  double mean = 0;
  Estimate estimate{.seeds = static_cast<int64_t>(used.size()), .n = used.front()->n};
  for (const Replicate* replicate : used) {
    mean += replicate->value / count;
    estimate.n = std::min(estimate.n, replicate->n);
  }
  double squares = 0;
  for (const Replicate* replicate : used) squares += std::pow(replicate->value - mean, 2);
  const double half = student_quantile(.975, count - 1) * std::sqrt(squares / (count - 1) / count);
  estimate.value = mean;
  estimate.low = mean - std::max(half, own_half(used, &Replicate::low));
  estimate.high = mean + std::max(half, own_half(used, &Replicate::high));
  estimate.interval = "seeds";
  return estimate;
}

bool separated(const Estimate& a, const Estimate& b) {
  return a.bounded() && b.bounded() && (*a.low > *b.high || *b.low > *a.high);
}

}  // namespace assay::report
