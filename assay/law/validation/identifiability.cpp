#include "assay/law/validation/identifiability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <set>

namespace assay {
namespace {

/// Where the profile of E reaches zero, an exponent whose 95% profile interval is wider than this
/// part of its value trades off against E.
constexpr double kGreatestWidth = 0.5;
constexpr double kLeastDecades = 0.5;  // of each column
constexpr double kLeastOffLine = 0.1;  // decades, deviation of log D from a line in log N
constexpr double kSafeErrors = 6;      // standard errors from a bound: its profile is not asked

void refuse(Identifiability& out, std::string reason, std::string remedy) {
  out.identifiable = false;
  out.reasons.push_back(std::move(reason));
  out.remedies.push_back(std::move(remedy));
}

bool has_floor(const Form& form) { return form.index("E") < form.size(); }

double decades(std::span<const double> values) {
  const auto [low, high] = std::ranges::minmax(values);
  return (high - low) / std::numbers::ln10;
}

/// Of the measured rows: an upper bound holds no place of a design.
class Design {
 public:
  explicit Design(const LawProblem& problem) : problem_(problem), form_(*problem.form) {
    for (const LawAxis axis : form_.axes())
      for (std::size_t i = 0; i < problem.rows.count; ++i)
        if (!problem.rows.is_bound(i))
          column(axis).push_back(problem.rows.log_column[static_cast<std::size_t>(axis)][i]);
  }

  Identifiability run() {
    for (const LawAxis axis : form_.axes()) check_range(axis);
    check_points();
    check_runs();
    check_line();
    return std::move(out_);
  }

 private:
  std::vector<double>& column(LawAxis axis) { return columns_[static_cast<std::size_t>(axis)]; }

  void check_range(LawAxis axis) {
    // Unique data may be one value: a law of repetition is about D at given U.
    if (axis == LawAxis::unique_data || column(axis).empty()) return;
    const std::size_t least = has_floor(form_) ? 3 : 2;
    std::set<double> different;
    for (const double value : column(axis))
      if (different.size() < least) different.insert(value);
    if (different.size() < least) {
      refuse(out_,
             fmt::format("{} has {} different value{}, and {} need at least {}", axis_name(axis),
                         different.size(), different.size() == 1 ? "" : "s",
                         has_floor(form_) ? "a floor and an exponent" : "an exponent", least),
             fmt::format("runs at {} or more values of {}, over at least 1.5 decades",
                         has_floor(form_) ? 4 : 3, axis_name(axis)));
    } else if (decades(column(axis)) < kLeastDecades) {
      refuse(
          out_, fmt::format("{} covers {:.2f} decades", axis_name(axis), decades(column(axis))),
          fmt::format("at least 1.5 decades of {}: half a decade more is worth two to three times "
                      "as many runs",
                      axis_name(axis)));
    }
  }

  void check_points() {
    std::set<std::vector<double>> points;
    const std::size_t rows = column(form_.axes().front()).size();
    for (std::size_t i = 0; i < rows && points.size() <= form_.size(); ++i) {
      std::vector<double> point;
      for (const LawAxis axis : form_.axes()) point.push_back(column(axis)[i]);
      points.insert(std::move(point));
    }
    if (points.size() <= form_.size())
      refuse(out_,
             fmt::format("{} different design point{} for {} parameters", points.size(),
                         points.size() == 1 ? "" : "s", form_.size()),
             "other sizes or budgets; seeds at the same points do not help");
  }

  // Every checkpoint of a run has its N and its luck: of N a table knows as much as it has runs.
  void check_runs() {
    const int64_t runs = problem_.rows.measured_clusters;
    if (!form_.has(LawAxis::model_size) || runs >= static_cast<int64_t>(form_.size())) return;
    if (runs == problem_.rows.measured()) return;  // too few points: said above
    refuse(out_,
           fmt::format("{} run{} for {} parameters: checkpoints of one run do not tell how the "
                       "loss falls with model_size",
                       runs, runs == 1 ? "" : "s", form_.size()),
           fmt::format("at least {} runs, of 4 or more sizes", form_.size() + 3));
  }

  // Deviation of one column from its regression on the other, the smaller way round.
  void check_line() {
    if (!form_.has(LawAxis::model_size) || !form_.has(LawAxis::data_size)) return;
    const auto& x = column(LawAxis::model_size);
    const auto& y = column(LawAxis::data_size);
    const auto rows = static_cast<double>(x.size());
    const double x_mean = std::accumulate(x.begin(), x.end(), 0.0) / rows;
    const double y_mean = std::accumulate(y.begin(), y.end(), 0.0) / rows;
    double xx = 0, yy = 0, xy = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      xx += (x[i] - x_mean) * (x[i] - x_mean);
      yy += (y[i] - y_mean) * (y[i] - y_mean);
      xy += (x[i] - x_mean) * (y[i] - y_mean);
    }
    if (!(xx > 0) || !(yy > 0)) return;  // a constant column: said above
    const double rest = std::max(0.0, 1 - xy * xy / (xx * yy));
    const double off = std::sqrt(rest * std::min(xx, yy) / rows) / std::numbers::ln10;
    if (off < kLeastOffLine)
      refuse(
          out_,
          fmt::format("model_size and data_size lie on a single line ({:.3f} decades off it)", off),
          "runs off the line: at several sizes, data budgets at least three times larger and "
          "smaller");
  }

  const LawProblem& problem_;
  const Form& form_;
  std::array<std::vector<double>, kLawAxes> columns_;
  Identifiability out_;
};

class Gate {
 public:
  Gate(const LawProblem& problem, const LawFit& fit) : problem_(problem), fit_(fit) {}

  Identifiability run() {
    if (!fit_.usable()) {
      refuse(out_, fit_.failure, "more rows, or a form with fewer parameters");
      return out_;
    }
    if (!fit_.converged)
      refuse(out_, "the fit has not converged", "another loss, or fewer parameters");
    const Identifiability design = design_faults(problem_);
    for (std::size_t i = 0; i < design.reasons.size(); ++i)
      refuse(out_, design.reasons[i], design.remedies[i]);
    if (out_.identifiable) check_terms();
    if (out_.identifiable) check_condition();
    if (out_.identifiable) check_bounds();
    if (out_.identifiable) check_floor();
    if (!out_.identifiable) out_.slope = slope();
    return out_;
  }

 private:
  std::vector<std::size_t> exponents() const {
    std::vector<std::size_t> out;
    for (const char* name : {"alpha", "beta", "gamma", "c", "c0"})
      if (const std::size_t j = problem_.form->index(name); j < problem_.form->size())
        out.push_back(j);
    return out;
  }

  void check_terms() {
    for (const std::string& name : fit_.at_bound)
      if (name != "E" && problem_.form->index(name) < problem_.form->coefficients())
        refuse(out_,
               fmt::format("{} is zero: the loss falls in none of the ways that its term allows by "
                           "more than its noise",
                           name),
               "a wider range of that term's column, less noise, or a form without the term");
  }

  void check_condition() {
    if (fit_.condition_number > kGreatestCondition)
      refuse(out_,
             std::isfinite(fit_.condition_number)
                 ? fmt::format("the parameters are confounded (condition number {:.1e})",
                               fit_.condition_number)
                 : "some parameter changes nothing at these rows, or two change the same",
             "a wider range of every column, or a form with fewer parameters");
  }

  void check_bounds() {
    const std::vector<double> errors = linear_errors(problem_, fit_).standard_error;
    for (const std::size_t j : exponents()) {
      const LawParameter& of = problem_.form->parameters()[j];
      const double value = fit_.parameters[j];
      const double room = std::min(value - of.low, of.high - value);
      if (room > kSafeErrors * errors[j]) continue;
      const bool outermost = !(room > 0);
      const ProfileInterval found =
          outermost ? ProfileInterval{} : profile_interval(problem_, fit_, of.name);
      if (!outermost && !found.low_open && !found.high_open) continue;
      refuse(
          out_,
          outermost
              ? fmt::format("{} lies at {:.3g}, the end of the range in which it is sought",
                            of.name, value)
              : fmt::format("{} is not determined: from {:.3g} to {:.3g}, the {} of the range in "
                            "which it is sought, all fit as well",
                            of.name, found.limits.low, found.limits.high,
                            found.low_open && found.high_open ? "ends" : "end"),
          "a column along which the loss falls by more than its noise, or a form without it");
    }
  }

  void check_floor() {
    if (!has_floor(*problem_.form) || floor_is_above_zero(problem_, fit_)) return;
    const ProfileInterval floor = profile_interval(problem_, fit_, "E");
    for (const std::size_t j : exponents()) {
      const std::string& name = problem_.form->parameters()[j].name;
      if (name == "gamma") continue;  // alpha gamma and beta gamma are the exponents
      const ProfileInterval exponent = profile_interval(problem_, fit_, name);
      const double width = exponent.limits.high - exponent.limits.low;
      if (width > kGreatestWidth * fit_.parameters[j])
        refuse(
            out_,
            fmt::format("{} trades off against the floor E: any E from 0 to {:.3g} is possible, "
                        "and with it {} from {:.3g} to {:.3g}",
                        name, floor.limits.high, name, exponent.limits.low, exponent.limits.high),
            "runs at larger scale, where the floor shows, or a floor known from elsewhere");
    }
  }

  std::optional<PowerSlope> slope() const {
    const auto& axes = problem_.form->axes();
    const auto range = [&](LawAxis axis) {
      const auto& column = problem_.rows.log_column[static_cast<std::size_t>(axis)];
      return decades({column.data(), problem_.rows.count});
    };
    const LawAxis axis = *std::ranges::max_element(axes, {}, range);
    if (!(range(axis) > 0)) return std::nullopt;
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
  Identifiability out_;
};

}  // namespace

Identifiability design_faults(const LawProblem& problem) { return Design(problem).run(); }

Identifiability identifiability(const LawProblem& problem, const LawFit& fit) {
  return Gate(problem, fit).run();
}

}  // namespace assay
