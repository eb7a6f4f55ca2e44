#include "assay/law/validation/identifiability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

namespace assay {
namespace {

class Gate {
 public:
  Gate(const LawProblem& problem, const LawFit& fit, const IdentifiabilityLimits& limits)
      : problem_(problem), fit_(fit), limits_(limits) {}

  Identifiability run() {
    if (!fit_.usable()) {
      refuse(fit_.failure, "more rows, or a form with fewer parameters");
      return out_;
    }
    if (!fit_.converged) refuse("the fit has not converged", "another loss, or fewer parameters");
    for (const LawAxis axis : problem_.form->axes()) check_range(axis);
    check_points();
    check_line();
    if (out_.identifiable) check_condition();
    if (out_.identifiable) check_floor();
    if (!out_.identifiable) out_.slope = slope();
    return out_;
  }

 private:
  void refuse(std::string reason, std::string remedy) {
    out_.identifiable = false;
    out_.reasons.push_back(std::move(reason));
    out_.remedies.push_back(std::move(remedy));
  }

  std::span<const double> column(LawAxis axis) const {
    return {problem_.rows.log_column[static_cast<std::size_t>(axis)].data(), problem_.rows.count};
  }
  double decades(LawAxis axis) const {
    const auto values = column(axis);
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    return (*high - *low) / std::numbers::ln10;
  }

  bool has_floor() const { return problem_.form->index("E") < problem_.form->size(); }
  // Unique data may be one value: a law of repetition is about D at given U.
  static bool needs_range(LawAxis axis) { return axis != LawAxis::unique_data; }

  void check_range(LawAxis axis) {
    if (!needs_range(axis)) return;
    const auto values = column(axis);
    const std::size_t least = has_floor() ? 3 : 2;
    std::set<double> different;
    for (std::size_t i = 0; i < values.size() && different.size() < least; ++i)
      different.insert(values[i]);
    if (different.size() < least) {
      refuse(fmt::format("{} has {} different value{}, and {} need at least {}", axis_name(axis),
                         different.size(), different.size() == 1 ? "" : "s",
                         has_floor() ? "a floor and an exponent" : "an exponent", least),
             fmt::format("runs at {} or more values of {}, over at least 1.5 decades",
                         has_floor() ? 4 : 3, axis_name(axis)));
    } else if (decades(axis) < limits_.least_decades) {
      refuse(
          fmt::format("{} covers {:.2f} decades", axis_name(axis), decades(axis)),
          fmt::format("at least 1.5 decades of {}: half a decade more is worth two to three times "
                      "as many runs",
                      axis_name(axis)));
    }
  }

  void check_points() {
    std::set<std::vector<double>> points;
    for (std::size_t i = 0; i < problem_.rows.count && points.size() <= problem_.form->size();
         ++i) {
      std::vector<double> point;
      for (const LawAxis axis : problem_.form->axes()) point.push_back(column(axis)[i]);
      points.insert(std::move(point));
    }
    if (points.size() <= problem_.form->size())
      refuse(fmt::format("{} different design points for {} parameters", points.size(),
                         problem_.form->size()),
             "other sizes or budgets; seeds at the same points do not help");
  }

  // Deviation of one column from its regression on the other, the smaller way round.
  void check_line() {
    const auto& axes = problem_.form->axes();
    const auto has = [&](LawAxis axis) {
      return std::find(axes.begin(), axes.end(), axis) != axes.end();
    };
    if (!has(LawAxis::model_size) || !has(LawAxis::data_size)) return;
    const auto x = column(LawAxis::model_size), y = column(LawAxis::data_size);
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {  // columns are centred
      xx += x[i] * x[i];
      yy += y[i] * y[i];
      xy += x[i] * y[i];
    }
    if (!(xx > 0) || !(yy > 0)) return;  // a constant column: said above
    const double rest = std::max(0.0, 1 - xy * xy / (xx * yy));
    const double off =
        std::sqrt(rest * std::min(xx, yy) / static_cast<double>(x.size())) / std::numbers::ln10;
    if (off < limits_.least_off_line)
      refuse(
          fmt::format("model_size and data_size lie on a single line ({:.3f} decades off it)", off),
          "runs off the line: at several sizes, data budgets at least three times larger and "
          "smaller");
  }

  void check_condition() {
    if (fit_.condition_number > limits_.greatest_condition)
      refuse(fmt::format("the parameters are confounded (condition number {:.1e})",
                         fit_.condition_number),
             "a wider range of every column, or a form with fewer parameters");
  }

  void check_floor() {
    if (!has_floor()) return;
    if (floor_is_above_zero(problem_, fit_)) return;
    const ProfileInterval floor = profile_interval(problem_, fit_, "E");
    for (const char* name : {"alpha", "beta", "c", "c0"}) {
      const std::size_t j = problem_.form->index(name);
      if (j == problem_.form->size()) continue;
      const ProfileInterval exponent = profile_interval(problem_, fit_, name);
      const double width = exponent.limits.high - exponent.limits.low;
      if (exponent.low_open || exponent.high_open ||
          width > limits_.greatest_width * fit_.parameters[j])
        refuse(
            fmt::format("{} trades off against the floor E: any E from 0 to {:.3g} is possible, "
                        "and with it {} from {:.3g} to {:.3g}",
                        name, floor.limits.high, name, exponent.limits.low, exponent.limits.high),
            "runs at larger scale, where the floor shows, or a floor known from elsewhere");
    }
  }

  std::optional<PowerSlope> slope() const {
    const auto& axes = problem_.form->axes();
    const LawAxis axis = *std::max_element(
        axes.begin(), axes.end(), [&](LawAxis a, LawAxis b) { return decades(a) < decades(b); });
    if (!(decades(axis) > 0)) return std::nullopt;
    LawProblem along = problem_;
    along.form = make_form("power", axis);
    const RobustLoss loss =
        std::isfinite(fit_.scale.delta) ? RobustLoss::automatic() : RobustLoss::least_squares();
    const LawFit fit = fit_law(along, {.loss = loss});
    if (!fit.usable()) return std::nullopt;
    return PowerSlope{axis, fit.parameters[1], profile_interval(along, fit, "c").limits};
  }

  const LawProblem& problem_;
  const LawFit& fit_;
  const IdentifiabilityLimits& limits_;
  Identifiability out_;
};

}  // namespace

Identifiability identifiability(const LawProblem& problem, const LawFit& fit,
                                const IdentifiabilityLimits& limits) {
  return Gate(problem, fit, limits).run();
}

}  // namespace assay
