// How many objectives it takes to see a correlation, and how seldom chance shows one.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "assay/core/seed.h"

namespace assay {

/// Power of the two-sided 5% test of a true correlation between n pairs, by Fisher's z: that of
/// z ~ N(atanh r, 1/(n − 3)) beyond ±1.96/√(n − 3). Up to .03 below the exact one. 0 for n < 4.
double correlation_power(double correlation, double count);

/// A power of 80% is one that rounds to it: .795.
constexpr double kPowerWanted = 0.795;

/// Fewest pairs with a power of 80%; 0 if |r| < .01.
int64_t pairs_needed(double correlation);

/// The least |r| that n pairs show with a power of 80%; 1 where there is none.
double least_correlation(double count);

struct PermutationTest {
  double p_value = 1;
  int64_t orders = 0;  // all n! if `exact`, else drawn; the observed one among them
  bool exact = false;
};

/// Pearson's r, and squared multiple correlation of least squares; 0 where a column is constant.
double pearson(std::span<const double> x, std::span<const double> y);
double squared_correlation(std::span<const std::vector<double>> columns, std::span<const double> y);

/// Share of the orders of y in which the (multiple) correlation with the columns is at least as
/// large as in the observed order: all orders up to 8 pairs, else 20,000 drawn ones and the
/// observed. Exact level under the hypothesis that y has nothing to do with the columns, whatever
/// the distributions and measuring errors. One or two columns.
PermutationTest permutation_test(std::span<const std::vector<double>> columns,
                                 std::span<const double> y, Seed seed);

}  // namespace assay
