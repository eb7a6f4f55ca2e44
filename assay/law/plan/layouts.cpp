#include "assay/law/plan/layouts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "assay/core/error.h"
#include "assay/law/intervals/allocation.h"

namespace assay {
namespace {

std::vector<double> levels(double low, double high, int count, const char* what) {
  if (low == high) return {low};
  if (count < 2)
    throw Error("plan.layout", fmt::format("{} {} of a column that varies", count, what),
                "at least 2, and 4 where a floor is fitted");
  return log_grid(low, high, static_cast<std::size_t>(count));
}

struct Slice {
  double low = 0, high = 0;  // model sizes
  double decades() const { return high > low ? std::log10(high / low) : 0; }
};

double best_size(const DesignModel& model, double compute, double flops_per) {
  const auto best = allocation(model.form(), model.guess().parameters, compute, flops_per);
  if (!best)
    throw Error("plan.layout",
                fmt::format("slices of equal compute need a law of N and D, not {}",
                            model.form().formula()),
                "--design grid or optimal");
  return best->model_size;
}

Slice slice_about(double best, double reach) {
  return {best * std::pow(10, -reach), best * std::pow(10, reach)};
}

Slice slice_within(const SweepRegion& region, Slice slice, double compute, double flops_per) {
  const double tokens = compute / flops_per;  // N D
  slice.low = std::max({slice.low, region.least_size, tokens / region.greatest_data});
  slice.high = std::min({slice.high, region.greatest_size, tokens / region.least_data});
  return slice;
}

void append_slice(Sweep& sweep, const Slice& slice, double compute, double flops_per,
                  const IsoflopLayout& layout) {
  for (const double size : log_grid(slice.low, slice.high, static_cast<std::size_t>(layout.sizes)))
    sweep.push_back({size, compute / (flops_per * size), layout.seeds});
}

void check_layout(const IsoflopLayout& layout) {
  if (layout.budgets < 4 || layout.sizes < 3 || layout.seeds < 1)
    throw Error("plan.layout",
                fmt::format("{} slices of {} sizes with {} seeds", layout.budgets, layout.sizes,
                            layout.seeds),
                "at least 4 slices of 3 sizes: fewer do not show where a slice's optimum lies");
}

}  // namespace

Sweep grid_sweep(const SweepRegion& region, const GridLayout& layout,
                 const SizeRounding& rounding) {
  check_region(region);
  if (layout.seeds < 1 || layout.corner_seeds < 0)
    throw Error(
        "plan.layout",
        fmt::format("{} seeds and {} more at the corners", layout.seeds, layout.corner_seeds),
        "at least one seed, and none or more at the corners");
  const auto sizes = levels(region.least_size, region.greatest_size, layout.sizes, "model sizes");
  const auto budgets =
      levels(region.least_data, region.greatest_data, layout.budgets, "data budgets");
  const auto end = [](std::size_t i, std::size_t count) { return i == 0 || i + 1 == count; };
  Sweep out;
  for (std::size_t i = 0; i < sizes.size(); ++i)
    for (std::size_t j = 0; j < budgets.size(); ++j) {
      SweepPoint point = rounding({sizes[i], budgets[j]});
      const bool corner = end(i, sizes.size()) && end(j, budgets.size());
      point.runs = layout.seeds + (corner ? layout.corner_seeds : 0);
      out.push_back(point);
    }
  return merged(std::move(out));
}

Sweep isoflop_sweep(const DesignModel& model, const SweepRegion& region,
                    const IsoflopLayout& layout, double flops_per, const SizeRounding& rounding) {
  check_region(region);
  check_layout(layout);
  const auto compute_of = [&](double part) {
    const double low = region.least_size * region.least_data;
    return flops_per * low * std::pow(10, part * (region.size_decades() + region.data_decades()));
  };
  const auto slice_at = [&](double compute) {
    return slice_within(region, slice_about(best_size(model, compute, flops_per), layout.reach),
                        compute, flops_per);
  };
  constexpr int kSteps = 1000;
  std::optional<double> least, greatest;
  for (int step = 0; step <= kSteps; ++step) {
    const double compute = compute_of(static_cast<double>(step) / kSteps);
    if (slice_at(compute).decades() < layout.least_width - 1e-9) continue;
    if (!least) least = compute;
    greatest = compute;
  }
  if (!least || !(*greatest > *least))
    throw Error(
        "plan.layout",
        fmt::format("no slices of equal compute {:g} decades wide about the guessed optimum "
                    "fit into {:.2g} decades of N by {:.2g} of D",
                    layout.least_width, region.size_decades(), region.data_decades()),
        "wider ranges that hold N*(C) of the guess, or --design grid");
  Sweep out;
  for (const double compute : log_grid(*least, *greatest, static_cast<std::size_t>(layout.budgets)))
    append_slice(out, slice_at(compute), compute, flops_per, layout);
  for (SweepPoint& point : out) {
    point = rounding(point);
  }
  return merged(std::move(out));
}

Sweep isoflop_between(const DesignModel& model, double least_compute, double greatest_compute,
                      const IsoflopLayout& layout, double flops_per) {
  check_layout(layout);
  Sweep out;
  for (const double compute :
       log_grid(least_compute, greatest_compute, static_cast<std::size_t>(layout.budgets)))
    append_slice(out, slice_about(best_size(model, compute, flops_per), layout.reach), compute,
                 flops_per, layout);
  return merged(std::move(out));
}

}  // namespace assay
