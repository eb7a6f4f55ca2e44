// Tables of objectives that the tests of drivers share.
#pragma once

#include <cmath>
#include <vector>

#include "assay/law/drivers/driver_point.h"
#include "law/laws.h"

namespace assay::testing {

inline DriverPoint point(double driver, double outcome, double driver_error = 0,
                         double outcome_error = 0) {
  return {"o", outcome, outcome_error, {driver}, {driver_error}, 0};
}

/// outcome = 0.3 + slope · driver + scatter, both measured with errors, unequal if `unequal`.
struct Design {
  int objectives = 14;
  double slope = 1, scatter = 1, driver_error = 0.3, outcome_error = 0.3;
  bool unequal = false;
};
inline std::vector<DriverPoint> simulate(const Design& design, Normals& normal) {
  std::vector<DriverPoint> out;
  for (int i = 0; i < design.objectives; ++i) {
    const double x = normal(), y = 0.3 + design.slope * x + design.scatter * normal();
    const double of_x = design.driver_error * (design.unequal ? std::exp(0.5 * normal()) : 1);
    const double of_y = design.outcome_error * (design.unequal ? std::exp(0.5 * normal()) : 1);
    const double seen = x + of_x * normal();  // in this order with every compiler
    out.push_back(point(seen, y + of_y * normal(), of_x, of_y));
  }
  return out;
}

}  // namespace assay::testing
