// Mean and variance in one pass without cancellation.
#pragma once

#include <cstdint>
#include <span>

namespace assay {

/// Welford (1962); merging by Chan, Golub and LeVeque (1979). Never E[x²] − E[x]².
class Moments {
 public:
  void add(double value);
  void add(std::span<const double> values);
  void merge(const Moments& other);

  int64_t count() const { return count_; }
  double mean() const;                 // NaN when empty
  double variance() const;             // divisor n − 1; NaN below two values
  double population_variance() const;  // divisor n
  double standard_error() const;       // of the mean

 private:
  int64_t count_ = 0;
  double mean_ = 0, squares_ = 0;
};

}  // namespace assay
