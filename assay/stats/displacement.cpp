// Signal and spread of a few displacements from one start.
#include "assay/stats/displacement.h"

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "assay/core/error.h"

namespace assay {
namespace {

// signal, spread, ratio of the rows but `left_out` (−1 = none).
std::array<double, 3> values_of(std::span<const double> gram, int64_t rows, int64_t left_out) {
  double all = 0, own = 0, m = 0;
  for (int64_t r = 0; r < rows; ++r) {
    if (r == left_out) continue;
    ++m;
    for (int64_t s = 0; s < rows; ++s) {
      if (s == left_out) continue;
      const double product = gram[static_cast<size_t>(r * rows + s)];
      all += product;
      if (r == s) own += product;
    }
  }
  const double signal = (all - own) / (m * (m - 1));
  const double spread = (own - all / m) / (m - 1);
  return {signal, spread, signal / spread};
}

}  // namespace

DisplacementEstimate displacement_noise(std::span<const double> gram, int64_t rows) {
  if (rows < 2 || gram.size() != static_cast<size_t>(rows * rows))
    throw Error("stats.size", "a spread between displacements needs at least two of them");
  const std::array<double, 3> whole = values_of(gram, rows, -1);
  std::array<std::vector<double>, 3> without;
  if (rows >= 3)
    for (int64_t r = 0; r < rows; ++r) {
      const auto rest = values_of(gram, rows, r);
      for (size_t q = 0; q < rest.size(); ++q) without[q].push_back(rest[q]);
    }
  const auto estimate = [&](size_t q) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    if (rows < 3) return Estimate{whole[q], nan, nan, nan, rows};
    return jackknife_interval(whole[q], without[q]);
  };
  return {estimate(0), estimate(1), estimate(2)};
}

}  // namespace assay
