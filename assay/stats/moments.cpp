// Welford's recurrence and its merge.
#include "assay/stats/moments.h"

#include <cmath>
#include <limits>

namespace assay {
namespace {
constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();
}

void Moments::add(double value) {
  ++count_;
  const double before = value - mean_;
  mean_ += before / static_cast<double>(count_);
  squares_ += before * (value - mean_);
}

void Moments::add(std::span<const double> values) {
  for (const double value : values) add(value);
}

void Moments::merge(const Moments& other) {
  if (other.count_ == 0) return;
  const double mine = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
  const double gap = other.mean_ - mean_;
  count_ += other.count_;
  mean_ += gap * theirs / (mine + theirs);
  squares_ += other.squares_ + gap * gap * mine * theirs / (mine + theirs);
}

double Moments::mean() const { return count_ > 0 ? mean_ : kNotANumber; }

double Moments::variance() const {
  return count_ > 1 ? squares_ / static_cast<double>(count_ - 1) : kNotANumber;
}

double Moments::population_variance() const {
  return count_ > 0 ? squares_ / static_cast<double>(count_) : kNotANumber;
}

double Moments::standard_error() const {
  return std::sqrt(variance() / static_cast<double>(count_));
}

}  // namespace assay
