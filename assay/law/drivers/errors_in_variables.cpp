#include "assay/law/drivers/errors_in_variables.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>

#include "assay/core/error.h"
#include "assay/law/drivers/latent_likelihood.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

using namespace latent;

constexpr double kFarthest = 1e4;  // slope in standard units that counts as infinite

void check(std::span<const DriverPoint> points, std::size_t beyond_drivers) {
  const std::size_t drivers = points.empty() ? 0 : points.front().drivers.size();
  if (drivers < 1 || drivers > 2)
    throw Error("law.drivers", fmt::format("a regression on {} drivers", drivers),
                "give one driver or two");
  if (points.size() < drivers + beyond_drivers)
    throw Error("law.drivers",
                fmt::format("{} objectives cannot tell a line in {} from chance", points.size(),
                            drivers == 1 ? "one driver" : "two drivers"),
                fmt::format("measure at least {} objectives", drivers + beyond_drivers));
  const auto constant = [&](auto value, const std::string& what) {
    if (std::ranges::all_of(
            points, [&](const auto& point) { return value(point) == value(points.front()); }))
      throw Error("data.constant", what + " takes one value for all objectives",
                  "choose a column that varies between objectives");
  };
  constant([](const DriverPoint& point) { return point.outcome; }, "the outcome");
  for (std::size_t j = 0; j < drivers; ++j)
    constant([j](const DriverPoint& point) { return point.drivers[j]; }, drivers == 1 ? "the driver"
                                                                         : j == 0
                                                                             ? "the first driver"
                                                                             : "the second driver");
  if (drivers < 2) return;
  double xx = 0, yy = 0, xy = 0, x0 = 0, y0 = 0;
  for (const DriverPoint& point : points) {
    x0 += point.drivers[0] / static_cast<double>(points.size());
    y0 += point.drivers[1] / static_cast<double>(points.size());
  }
  for (const DriverPoint& point : points) {
    const double x = point.drivers[0] - x0, y = point.drivers[1] - y0;
    xx += x * x, yy += y * y, xy += x * y;
  }
  if (xy * xy > (1 - 1e-10) * xx * yy)
    throw Error("data.constant", "one driver is a linear function of the other",
                "leave one of the two drivers out");
}

}  // namespace

ErrorsInVariables errors_in_variables(std::span<const DriverPoint> points) {
  check(points, 1);
  const Likelihood likelihood(points);
  const Maximum found = maximise(likelihood);
  const Index last = likelihood.variables() - 1;
  SmallVector mean;
  likelihood.deviance(found.theta, nullptr, &mean);
  const SmallVector& unit = likelihood.unit();
  ErrorsInVariables out;
  const Small omega = likelihood.covariance(found.theta);
  out.mean.resize(last + 1);
  out.covariance.resize(last + 1, last + 1);
  for (Index j = 0; j <= last; ++j) {
    out.mean[j] = likelihood.centre()[j] + mean[j] * unit[j];
    for (Index k = 0; k <= last; ++k) out.covariance(j, k) = omega(j, k) * unit[j] * unit[k];
  }
  out.intercept = out.mean[last];
  for (Index j = 0; j < last; ++j) {
    const double slope = found.theta[Likelihood::coefficient(last, j)] * unit[last] / unit[j];
    out.slopes.push_back(slope);
    out.intercept -= slope * out.mean[j];
  }
  const double own = found.theta[likelihood.variance(last)];
  out.scatter = std::sqrt(own) * unit[last];
  out.scatter_at_zero = own <= 2 * kLeast;
  out.correlation = std::sqrt(std::max(0.0, 1 - own / omega(last, last)));
  if (last == 1 && out.slopes[0] < 0) out.correlation = -out.correlation;
  out.deviance = found.deviance;
  out.converged = found.converged;
  return out;
}

LawLimits slope_interval(std::span<const DriverPoint> points, std::size_t driver, double coverage) {
  check(points, 2);
  const Likelihood likelihood(points);
  const Maximum best = maximise(likelihood);
  const Index last = likelihood.variables() - 1;
  const Index held = Likelihood::coefficient(last, static_cast<Index>(driver));
  const auto n = static_cast<double>(points.size());
  const double degrees = n - static_cast<double>(last) - 1;
  const double t = student_quantile(0.5 + coverage / 2, degrees);
  const double most = best.deviance + n * std::log1p(t * t / degrees);
  const auto end = [&](double sign) {
    Theta inside = best.theta;
    double step = 0.05;
    // From each slope to the next, further away, the other parameters start where they were.
    const auto at = [&](double slope) {
      Theta start = inside;
      start[held] = slope;
      return maximise(likelihood, start, held);
    };
    Maximum found;
    for (;; step *= 1.6) {
      const double slope = inside[held] + sign * step;
      if (std::fabs(slope) > kFarthest) return sign * std::numeric_limits<double>::infinity();
      found = at(slope);
      if (found.deviance > most) break;
      inside = found.theta;
    }
    double outside = found.theta[held];
    while (std::fabs(outside - inside[held]) > 1e-9 * (1 + std::fabs(outside))) {
      found = at(0.5 * (outside + inside[held]));
      if (found.deviance > most)
        outside = found.theta[held];
      else
        inside = found.theta;
    }
    const double unit = likelihood.unit()[last] / likelihood.unit()[static_cast<Index>(driver)];
    return outside * unit;
  };
  return {end(-1), end(1)};
}

double predict_outcome(const ErrorsInVariables& law, std::span<const double> drivers,
                       std::span<const double> driver_errors) {
  const auto count = static_cast<Index>(drivers.size());
  Eigen::MatrixXd observed = law.covariance.topLeftCorner(count, count);
  Eigen::VectorXd off(count);
  for (Index j = 0; j < count; ++j) {
    const auto k = static_cast<std::size_t>(j);
    observed(j, j) += driver_errors[k] * driver_errors[k];
    off[j] = drivers[k] - law.mean[j];
  }
  return law.mean[count] + law.covariance.row(count).head(count) * observed.ldlt().solve(off);
}

}  // namespace assay
