#include "assay/law/plan/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "assay/core/error.h"

namespace assay {
namespace {

void check_range(const char* what, double low, double high) {
  if (!(std::isfinite(low) && std::isfinite(high) && low > 0))
    throw Error("plan.range",
                fmt::format("{} from {:g} to {:g}: bounds must be above zero", what, low, high),
                "give the smallest and the largest value, such as 3e4:1e7");
  if (low > high)
    throw Error("plan.range",
                fmt::format("{} from {:g} to {:g}: the range runs backwards", what, low, high),
                fmt::format("write {:g}:{:g}", high, low));
}

void stretch(Sweep& sweep, double SweepPoint::*column, double more) {
  const auto [low, high] = std::minmax_element(
      sweep.begin(), sweep.end(),
      [&](const SweepPoint& a, const SweepPoint& b) { return a.*column < b.*column; });
  const double decades = std::log10((*high).*column / (*low).*column);
  if (!(decades > 0)) return;
  const double fixed = more > 0 ? (*low).*column : (*high).*column;
  for (SweepPoint& point : sweep)
    point.*column = fixed * std::pow(point.*column / fixed, 1 + std::abs(more) / decades);
}

}  // namespace

int runs_of(const Sweep& sweep) {
  int runs = 0;
  for (const SweepPoint& point : sweep) runs += point.runs;
  return runs;
}

double SweepRegion::size_decades() const { return std::log10(greatest_size / least_size); }
double SweepRegion::data_decades() const { return std::log10(greatest_data / least_data); }
SweepPoint SweepRegion::centre() const {
  return {std::sqrt(least_size * greatest_size), std::sqrt(least_data * greatest_data)};
}

void check_region(const SweepRegion& region) {
  check_range("model sizes", region.least_size, region.greatest_size);
  check_range("data sizes", region.least_data, region.greatest_data);
  if (region.least_size == region.greatest_size && region.least_data == region.greatest_data)
    throw Error("plan.range", "neither model size nor data varies: there is nothing to scale with",
                "give a range of at least one of them");
}

SweepPoint SizeRounding::operator()(SweepPoint point) const {
  if (model_size) point.model_size = model_size(point.model_size);
  if (data_size) point.data_size = data_size(point.data_size);
  return point;
}

double RunCost::flops(const SweepPoint& point) const {
  return flops_per * point.model_size * point.data_size;
}
double RunCost::seconds(const SweepPoint& point) const { return overhead + flops(point) / rate; }

double flops_of(const Sweep& sweep, const RunCost& cost) {
  double sum = 0;
  for (const SweepPoint& point : sweep) sum += point.runs * cost.flops(point);
  return sum;
}

double worker_seconds(const Sweep& sweep, const RunCost& cost) {
  double sum = 0;
  for (const SweepPoint& point : sweep) sum += point.runs * cost.seconds(point);
  return sum;
}

double hours_of(const Sweep& sweep, const RunCost& cost) {
  double longest = 0;
  for (const SweepPoint& point : sweep) longest = std::max(longest, cost.seconds(point));
  return std::max(longest, worker_seconds(sweep, cost) / cost.workers) / 3600;
}

Sweep merged(Sweep sweep) {
  std::sort(sweep.begin(), sweep.end(), [](const SweepPoint& a, const SweepPoint& b) {
    return a.model_size != b.model_size ? a.model_size < b.model_size : a.data_size < b.data_size;
  });
  Sweep out;
  for (const SweepPoint& point : sweep) {
    if (!out.empty() && out.back().model_size == point.model_size &&
        out.back().data_size == point.data_size)
      out.back().runs += point.runs;
    else
      out.push_back(point);
  }
  return out;
}

Sweep stretched(const Sweep& sweep, double more) {
  Sweep out = sweep;
  stretch(out, &SweepPoint::model_size, more);
  stretch(out, &SweepPoint::data_size, more);
  return out;
}

}  // namespace assay
