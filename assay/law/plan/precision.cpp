#include "assay/law/plan/precision.h"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "assay/core/error.h"
#include "assay/law/validation/identifiability.h"
#include "assay/stats/interval.h"

namespace assay {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

LawUnits negated(LawUnits units) {
  for (double& log : units.log_axis) log = -log;
  units.log_loss = -units.log_loss;
  return units;
}

Observation observation_of(const SweepPoint& point) {
  Observation out;
  out.model_size = point.model_size;
  out.data_size = out.unique_data = point.data_size;
  out.compute = 6 * point.model_size * point.data_size;
  return out;
}

// Inverse by way of the unit diagonal; nothing where it is singular to working precision.
struct Covariance {
  LawMatrix matrix;
  double condition_number = kInfinity;
};
Covariance inverse_of(const LawMatrix& information) {
  const Eigen::VectorXd scale = information.diagonal().cwiseSqrt();
  if (!(scale.minCoeff() > 0)) return {};
  const Eigen::VectorXd shrink = scale.cwiseInverse();
  const Eigen::MatrixXd scaled = shrink.asDiagonal() * information * shrink.asDiagonal();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(scaled);
  const Eigen::VectorXd& values = eigen.eigenvalues();
  if (!(values[0] > 0)) return {};
  const Eigen::MatrixXd inverse =
      eigen.eigenvectors() * values.cwiseInverse().asDiagonal() * eigen.eigenvectors().transpose();
  return {shrink.asDiagonal() * inverse * shrink.asDiagonal(),
          values[values.size() - 1] / values[0]};
}

LawMatrix without(const LawMatrix& information, Eigen::Index left_out) {
  const Eigen::Index n = information.rows() - 1;
  LawMatrix out(n, n);
  for (Eigen::Index i = 0; i < n; ++i)
    for (Eigen::Index j = 0; j < n; ++j)
      out(i, j) = information(i + (i >= left_out), j + (j >= left_out));
  return out;
}

SweepPoint beyond_corner(const Sweep& sweep) {
  SweepPoint out;
  for (const SweepPoint& point : sweep) {
    out.model_size = std::max(out.model_size, 10 * point.model_size);
    out.data_size = std::max(out.data_size, 10 * point.data_size);
  }
  return out;
}

void check_exponent(const LawParameter& parameter, double value) {
  if (!(value >= parameter.low && value <= parameter.high))
    throw Error("plan.guess",
                fmt::format("a guess of {} = {:g} is out of range", parameter.name, value),
                fmt::format("guess a value from {:g} to {:g}", parameter.low, parameter.high));
}

}  // namespace

LawGuess guess_law(const GuessShares& shares, const SweepRegion& region) {
  check_region(region);
  if (!(shares.floor_share >= 0 && shares.floor_share < 1))
    throw Error("plan.guess",
                fmt::format("a floor with a share of {:g} of the loss", shares.floor_share),
                "the share of E in the loss at the sweep's centre is at least 0 and below 1");
  const SweepPoint centre = region.centre();
  const double left = 1 - shares.floor_share;
  const bool sizes = region.size_decades() > 0, data = region.data_decades() > 0;
  if (sizes && data) {
    const FormPointer form = make_form("chinchilla");
    check_exponent(form->parameters()[3], shares.alpha);
    check_exponent(form->parameters()[4], shares.beta);
    return {form,
            {shares.floor_share, left / 2 * std::pow(centre.model_size, shares.alpha),
             left / 2 * std::pow(centre.data_size, shares.beta), shares.alpha, shares.beta}};
  }
  const LawAxis axis = sizes ? LawAxis::model_size : LawAxis::data_size;
  const FormPointer form = make_form("floor_power", axis);
  const double exponent = sizes ? shares.alpha : shares.beta;
  check_exponent(form->parameters()[2], exponent);
  const double at = sizes ? centre.model_size : centre.data_size;
  return {form, {shares.floor_share, left * std::pow(at, exponent), exponent}};
}

DesignModel::DesignModel(LawGuess guess, const SweepRegion& region) : guess_(std::move(guess)) {
  check_region(region);
  const Observation centre = observation_of(region.centre());
  for (const LawAxis axis : form().axes())
    units_.log_axis[static_cast<std::size_t>(axis)] = std::log(value_on(centre, axis));
  const double loss = predict(form(), guess_.parameters, centre);
  if (!(std::isfinite(loss) && loss > 0))
    throw Error("plan.guess",
                fmt::format("the guessed law gives a loss of {:g} at the sweep's centre", loss),
                "a law whose loss is above zero within the ranges");
  units_.log_loss = std::log(loss);
  centred_ = guess_.parameters;
  form().change_units(negated(units_), centred_.data());
  for (std::size_t i = 0; i < form().size(); ++i)
    if (form().parameters()[i].unit == "1") exponents_.push_back(static_cast<Eigen::Index>(i));
}

Eigen::MatrixXd DesignModel::sensitivities(const Sweep& points) const {
  const std::size_t n = padded(points.size());
  std::array<std::vector<double>, kLawAxes> columns;
  LawRows rows;
  rows.count = n;
  for (const LawAxis axis : form().axes()) {
    const auto k = static_cast<std::size_t>(axis);
    for (const SweepPoint& point : points)
      columns[k].push_back(std::log(value_on(observation_of(point), axis)) - units_[axis]);
    columns[k].resize(n, 0);
    rows.log_column[k] = columns[k].data();
  }
  std::vector<double> value(n), gradient(n * form().size());
  form().evaluate(centred_.data(), rows, value.data(), gradient.data());
  Eigen::MatrixXd out(size(), static_cast<Eigen::Index>(points.size()));
  for (Eigen::Index j = 0; j < out.rows(); ++j)
    for (Eigen::Index i = 0; i < out.cols(); ++i)
      out(j, i) = gradient[static_cast<std::size_t>(j) * n + static_cast<std::size_t>(i)] /
                  value[static_cast<std::size_t>(i)];
  return out;
}

LawMatrix DesignModel::information(const Sweep& sweep) const {
  const Eigen::MatrixXd sensitivity = sensitivities(sweep);
  LawMatrix out = LawMatrix::Zero(size(), size());
  for (Eigen::Index i = 0; i < sensitivity.cols(); ++i)
    out += sweep[static_cast<std::size_t>(i)].runs * sensitivity.col(i) *
           sensitivity.col(i).transpose();
  return out;
}

double DesignModel::floor_share() const {
  const std::size_t floor = form().index("E");
  return floor < form().size() ? centred_[floor] : 0;
}

std::optional<LawVector> DesignModel::allocation_gradient() const {
  const std::size_t alpha = form().index("alpha"), beta = form().index("beta");
  if (alpha == form().size() || beta == form().size()) return std::nullopt;
  const double sum = guess_.parameters[alpha] + guess_.parameters[beta];
  LawVector out = LawVector::Zero(size());
  out[static_cast<Eigen::Index>(alpha)] = -guess_.parameters[beta] / (sum * sum);
  out[static_cast<Eigen::Index>(beta)] = guess_.parameters[alpha] / (sum * sum);
  return out;
}

Eigen::MatrixXd DesignModel::contrasts(const std::string& target) const {
  std::vector<std::string> known = {"exponents"};
  for (const Eigen::Index j : exponents_) {
    known.push_back(form().parameters()[static_cast<std::size_t>(j)].name);
    if (known.back() == target) return Eigen::MatrixXd::Identity(size(), size()).col(j);
  }
  if (target == "exponents") {
    Eigen::MatrixXd out = Eigen::MatrixXd::Zero(size(), std::ssize(exponents_));
    for (Eigen::Index k = 0; k < out.cols(); ++k)
      out(exponents_[static_cast<std::size_t>(k)], k) = 1;
    return out;
  }
  const auto allocation = allocation_gradient();
  if (allocation && target == "allocation") return *allocation;
  if (allocation) known.push_back("allocation");
  throw Error("plan.target",
              fmt::format("the law `{}` has no exponent `{}`", form().formula(), target),
              suggest(target, known));
}

double SweepPrecision::standard_error(const std::string& target) const {
  if (target == "allocation" && allocation) return *allocation;
  double worst = std::numeric_limits<double>::quiet_NaN();
  for (const ExponentError& exponent : exponents)
    if (target == "exponents" || target == exponent.name)
      worst =
          std::isnan(worst) ? exponent.standard_error : std::max(worst, exponent.standard_error);
  return worst;
}

double SweepPrecision::interval_factor() const {
  const int freedom = runs - parameters;
  return freedom > 0 ? student_quantile(0.975, freedom) : kInfinity;
}

double SweepPrecision::half_width(const std::string& target) const {
  return interval_factor() * standard_error(target);
}

SweepPrecision sweep_precision(const DesignModel& model, const Sweep& sweep, double sigma) {
  if (!(std::isfinite(sigma) && sigma > 0))
    throw Error("plan.noise", fmt::format("noise of {:g}", sigma),
                "σ is the standard deviation of log loss between seeds, such as 0.005");
  const LawMatrix information = model.information(sweep);
  const Covariance unit = inverse_of(information);
  if (!(unit.condition_number < kGreatestCondition))
    throw Error(
        "plan.singular",
        fmt::format("this sweep of {} points cannot tell the {} parameters of {} apart "
                    "(condition number {:.1e}, at most {:.0e})",
                    sweep.size(), model.size(), model.form().formula(), unit.condition_number,
                    kGreatestCondition),
        "more different sizes and budgets, over wider ranges, and not on one line of N and D");
  SweepPrecision out;
  out.runs = runs_of(sweep);
  out.parameters = static_cast<int>(model.size());
  out.condition_number = unit.condition_number;
  const auto floor = static_cast<Eigen::Index>(model.form().index("E"));
  const bool has_floor = floor < model.size();
  const LawMatrix known = has_floor ? inverse_of(without(information, floor)).matrix : unit.matrix;
  for (const Eigen::Index j : model.exponents()) {
    const auto index = static_cast<std::size_t>(j);
    const Eigen::Index reduced = j - (has_floor && j > floor);
    out.exponents.push_back({model.form().parameters()[index].name, model.guess().parameters[index],
                             sigma * std::sqrt(unit.matrix(j, j)),
                             sigma * std::sqrt(known(reduced, reduced))});
  }
  const auto deviation = [&](const LawVector& gradient) {
    return sigma * std::sqrt(gradient.dot(unit.matrix * gradient));
  };
  if (const auto gradient = model.allocation_gradient()) out.allocation = deviation(*gradient);
  if (has_floor && model.guess().parameters[static_cast<std::size_t>(floor)] > 0) {
    LawVector relative = LawVector::Zero(model.size());  // of the centred E, whose share is E/L
    relative[floor] = 1 / model.floor_share();
    out.floor_relative = deviation(relative);
  }
  out.beyond = deviation(model.sensitivities({beyond_corner(sweep)}).col(0));
  return out;
}

double detectable_difference(double standard_error, double correlation, double power,
                             double level) {
  return (normal_quantile(1 - level / 2) + normal_quantile(power)) *
         std::sqrt(2 * (1 - correlation)) * standard_error;
}

}  // namespace assay
