#include "assay/law/plan/levers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace assay {
namespace {

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

// "N", "D" or "N and of D".
const char* columns_of(const Sweep& sweep) {
  const auto differs = [&](double SweepPoint::*column) {
    return std::ranges::any_of(
        sweep, [&](const SweepPoint& point) { return point.*column != sweep.front().*column; });
  };
  const bool sizes = differs(&SweepPoint::model_size), data = differs(&SweepPoint::data_size);
  return sizes && data ? "N and of D" : sizes ? "N" : "D";
}

Sweep repeated(Sweep sweep, int times) {
  for (SweepPoint& point : sweep) point.runs *= times;
  return sweep;
}

std::optional<double> with_floor_known(const SweepPrecision& precision, const std::string& of) {
  std::optional<double> worst;
  for (const ExponentError& exponent : precision.exponents)
    if (precision.floor_relative && (of == "exponents" || of == exponent.name))
      worst = std::max(worst.value_or(0), exponent.floor_known);
  return worst;
}

SweepLever changed(std::string change, const Sweep& from, const Sweep& to, double error,
                   const RunCost& cost) {
  return {std::move(change), error, worker_seconds(to, cost) / worker_seconds(from, cost),
          hours_of(to, cost)};
}

std::string effect(const SweepLever& lever) {
  const std::string times = std::isnan(lever.compute)
                                ? std::string()
                                : fmt::format(" for {:.2g} times the compute", lever.compute);
  return fmt::format("{:.2g} with {}{}", lever.standard_error, lever.change, times);
}

std::string_view limit_of(const std::vector<SweepLever>& levers, double error) {
  std::string_view limit = "the number of runs";
  double least = 0.98;  // twice the seeds: error × √compute stays what it is
  for (const SweepLever& lever : levers) {
    const double part = lever.standard_error / error;
    if (std::isnan(lever.compute)) {
      if (part * part < 0.5) return "the unknown floor E";
    } else if (part * std::sqrt(lever.compute) < least) {
      least = part * std::sqrt(lever.compute);
      limit = "its range";
    }
  }
  return limit;
}

}  // namespace

std::vector<SweepLever> levers(const DesignModel& model, const Sweep& sweep, double sigma,
                               const RunCost& cost, const std::string& of) {
  std::vector<SweepLever> out;
  const auto add = [&](std::string change, const Sweep& to) {
    const double error = sweep_precision(model, to, sigma).standard_error(of);
    out.push_back(changed(std::move(change), sweep, to, error, cost));
  };
  add("twice the seeds", repeated(sweep, 2));
  for (const double more : {0.5, -0.5})
    add(fmt::format("half a decade more of {} at the {} end", columns_of(sweep),
                    more > 0 ? "large" : "small"),
        stretched(sweep, more));
  if (const auto known = with_floor_known(sweep_precision(model, sweep, sigma), of))
    out.push_back({"the floor E known exactly", *known, kNothing, kNothing});
  return out;
}

std::string limit_text(const std::vector<SweepLever>& levers, const std::string& of, double error) {
  std::string text =
      fmt::format("The standard error {:.2g} of {} is limited most by {}. It would be ", error,
                  of == "exponents" ? "the worst exponent" : of, limit_of(levers, error));
  for (std::size_t i = 0; i < levers.size(); ++i) text += (i ? "; " : "") + effect(levers[i]);
  return text + ".";
}

std::vector<SweepLever> remedies(const DesignModel& model, const Sweep& sweep, double sigma,
                                 const RunCost& cost, const SweepTarget& target) {
  std::vector<SweepLever> out;
  const auto reaches = [&](const Sweep& to, const std::string& change) {
    const SweepPrecision precision = sweep_precision(model, to, sigma);
    if (!target.reached(precision)) return false;
    out.push_back(changed(change, sweep, to, precision.standard_error(target.of), cost));
    return true;
  };
  constexpr int kMostTimes = 1000, kMostTenths = 40;
  for (int times = 2; times <= kMostTimes; ++times)
    if (reaches(repeated(sweep, times),
                fmt::format("{} times the seeds, {} runs", times, times * runs_of(sweep))))
      break;
  for (int tenths = 1; tenths <= kMostTenths; ++tenths)
    if (reaches(stretched(sweep, 0.1 * tenths),
                fmt::format("{:.1f} decades more of {} at the large end", 0.1 * tenths,
                            columns_of(sweep))))
      break;
  const SweepPrecision now = sweep_precision(model, sweep, sigma);
  double ratio = std::numeric_limits<double>::infinity();
  if (target.standard_error) ratio = *target.standard_error / now.standard_error(target.of);
  if (target.half_width) ratio = std::min(ratio, *target.half_width / now.half_width(target.of));
  if (ratio > 0)
    out.push_back({fmt::format("a noise of σ = {:.2g} instead of {:.2g}", sigma * ratio, sigma),
                   now.standard_error(target.of) * ratio, kNothing, kNothing});
  return out;
}

}  // namespace assay
