#include "assay/law/plan/planner.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/law/plan/levers.h"

namespace assay {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

void check_positive(const std::optional<double>& value, const char* what, const char* help) {
  if (value && !(std::isfinite(*value) && *value > 0))
    throw Error("plan.target", fmt::format("{} of {:g}", what, *value), help);
}

void check_cost(const RunCost& cost) {
  if (!(cost.flops_per > 0 && cost.rate > 0 && cost.workers > 0 && cost.overhead >= 0) ||
      !std::isfinite(cost.flops_per * cost.rate + cost.overhead))
    throw Error("plan.cost",
                fmt::format("--flops-per {:g}, --gflops {:g}, --workers {}, --overhead {:g} s",
                            cost.flops_per, cost.rate / 1e9, cost.workers, cost.overhead),
                "the first three are above zero, the overhead at least zero");
}

// A sweep with what it gives and takes.
struct Judged {
  Sweep sweep;
  double error = kInfinity;    // of the target's exponent
  double seconds = kInfinity;  // of one worker
  double hours = kInfinity;    // of all
  bool reached = false, identified = false;
  std::optional<double> bound;
};

class Planner {
 public:
  explicit Planner(const SweepRequest& request)
      : request_(request),
        model_(request.guess, request.region),
        contrasts_(request.determinant ? Eigen::MatrixXd() : model_.contrasts(request.target.of)) {
    model_.contrasts(request.target.of);  // throws for an unknown name
    allowed_ = request.hours.value_or(kInfinity);
  }

  SweepPlan run() {
    const Judged found = request_.target.given() ? cheapest() : best();
    SweepPlan plan = plan_of(found);
    if ((plan.reached && plan.affordable) || !request_.target.given()) return plan;
    if (!plan.reached)
      plan.remedies = remedies(model_, found.sweep, request_.sigma, request_.cost, request_.target);
    if (allowed_ < kInfinity) add_hours_needed(plan);
    if (request_.kind != SweepKind::optimal) add_optimal(plan);
    return plan;
  }

 private:
  Judged judge(Sweep sweep) const {
    Judged out;
    out.seconds = worker_seconds(sweep, request_.cost);
    out.hours = hours_of(sweep, request_.cost);
    try {
      const SweepPrecision precision = sweep_precision(model_, sweep, request_.sigma);
      out.error = precision.standard_error(request_.target.of);
      out.reached = request_.target.reached(precision);
      out.identified = true;
    } catch (const Error& error) {
      if (error.code() != "plan.singular") throw;
    }
    out.sweep = std::move(sweep);
    return out;
  }
  Sweep grid(const GridLayout& layout) const {
    return grid_sweep(request_.region, layout, request_.rounding);
  }
  Sweep isoflop(const IsoflopLayout& layout) const {
    return isoflop_sweep(model_, request_.region, layout, request_.cost.flops_per,
                         request_.rounding);
  }
  double seconds_in(double hours) const { return hours * 3600 * request_.cost.workers; }
  // No run may alone take longer than the hours.
  Sweep candidates(double hours) const {
    Sweep all =
        grid({.sizes = request_.levels, .budgets = request_.levels, .seeds = 1, .corner_seeds = 0});
    std::erase_if(all, [&](const SweepPoint& point) {
      return request_.cost.seconds(point) > hours * 3600 * (1 + 1e-9);
    });
    return all;
  }

  Judged exchanged(const Sweep& from, double seconds, bool thorough) const {
    ExchangeLimits limits = request_.exchange;
    limits.seconds = seconds;
    limits.thorough = thorough;
    const ExchangedSweep found =
        exchange_sweep(model_, from, contrasts_, request_.cost, limits, grid(request_.grid));
    Judged out = judge(found.sweep);
    out.bound = found.efficiency;
    return out;
  }

  // Without a target.
  Judged best() const {
    switch (request_.kind) {
      case SweepKind::grid:
        return judge(grid(request_.grid));
      case SweepKind::isoflop:
        return judge(isoflop(request_.isoflop));
      case SweepKind::optimal:
        break;
    }
    return exchanged(
        candidates(allowed_),
        request_.hours ? seconds_in(allowed_) : worker_seconds(grid(request_.grid), request_.cost),
        true);
  }

  std::vector<Sweep> layouts() const {
    std::vector<Sweep> out;
    const auto each = [&](int given, int low, int high, const auto& make) {
      if (request_.layout_given) return make(given);
      for (int count = low; count <= high; ++count) make(count);
    };
    const bool grids = request_.kind == SweepKind::grid;
    const int least = grids ? request_.grid.seeds : request_.isoflop.seeds;
    for (int seeds = least; seeds < least + 4; ++seeds) {
      if (grids) {
        GridLayout layout = request_.grid;
        layout.seeds = seeds;
        each(layout.sizes, 4, 8, [&](int count) {
          layout.sizes = count;
          if (!request_.layout_given) layout.budgets = count;
          out.push_back(grid(layout));
        });
      } else {
        IsoflopLayout layout = request_.isoflop;
        layout.seeds = seeds;
        each(layout.budgets, 4, 8, [&](int budgets) {
          layout.budgets = budgets;
          each(layout.sizes, 3, 5, [&](int sizes) {
            layout.sizes = sizes;
            out.push_back(isoflop(layout));
          });
        });
      }
    }
    return out;
  }

  // Of what the hours allow: the cheapest that reaches the target, else the most precise; where
  // they allow nothing, the cheapest.
  Judged chosen(double hours) const {
    Judged chosen;
    for (const Sweep& sweep : layouts()) {
      Judged judged = judge(sweep);
      const bool allowed = judged.hours <= hours, held = chosen.hours <= hours;
      if (chosen.sweep.empty() || (allowed != held ? allowed : better(judged, chosen, allowed)))
        chosen = std::move(judged);
    }
    return chosen;
  }
  static bool better(const Judged& one, const Judged& other, bool allowed) {
    if (!allowed) return one.seconds < other.seconds;
    if (one.reached != other.reached) return one.reached;
    return one.reached ? one.seconds < other.seconds : one.error < other.error;
  }

  // Least cost by bisection of its logarithm, to 2%.
  Judged least_cost(double hours) const {
    constexpr double kClose = 1.02;
    const Sweep all = candidates(hours);
    double high = std::min(seconds_in(hours),
                           request_.exchange.most_seeds * worker_seconds(all, request_.cost));
    Judged found = exchanged(all, high, false);
    if (!found.reached) found = exchanged(all, high, true);
    if (!found.reached) return found;
    double low = kInfinity;
    for (const SweepPoint& point : all) low = std::min(low, request_.cost.seconds(point));
    high = found.seconds;
    while (high > kClose * low) {
      const double middle = std::sqrt(low * high);
      try {
        const Judged judged = exchanged(all, middle, false);
        if (judged.reached) {
          found = judged;
          high = judged.seconds;
          continue;
        }
      } catch (const Error& error) {
        if (error.code() != "plan.budget") throw;
      }
      low = middle;
    }
    Judged thorough = exchanged(all, high, true);
    return thorough.reached && thorough.error < found.error ? thorough : found;
  }

  Judged cheapest(double hours) const {
    return request_.kind == SweepKind::optimal ? least_cost(hours) : chosen(hours);
  }
  Judged cheapest() const { return cheapest(allowed_); }

  SweepPlan plan_of(const Judged& found) const {
    SweepPlan plan;
    plan.sweep = found.sweep;
    plan.precision = sweep_precision(model_, found.sweep, request_.sigma);
    plan.flops = flops_of(found.sweep, request_.cost);
    plan.hours = hours_of(found.sweep, request_.cost);
    plan.reached = !request_.target.given() || found.reached;
    plan.affordable = found.hours <= allowed_ * (1 + 1e-9);
    plan.efficiency_bound = found.bound;
    if (request_.kind != SweepKind::grid) plan.grid_efficiency = beside_grid(found);
    plan.levers = levers(model_, found.sweep, request_.sigma, request_.cost, request_.target.of);
    plan.limit = limit_text(plan.levers, request_.target.of, found.error);
    return plan;
  }

  // A grid of half the runs has twice the variance, so both are compared at one second's worth.
  std::optional<double> beside_grid(const Judged& found) const {
    const Judged reference = judge(grid({}));
    if (!reference.identified) return std::nullopt;
    const double ratio = reference.error / found.error;
    return ratio * ratio * reference.seconds / found.seconds;
  }

  void add_optimal(SweepPlan& plan) const {
    try {
      const Judged optimal = least_cost(allowed_);
      if (!optimal.reached) return;
      plan.remedies.insert(
          plan.remedies.begin(),
          {fmt::format("--design optimal: {} runs", runs_of(optimal.sweep)), optimal.error,
           optimal.seconds / worker_seconds(plan.sweep, request_.cost), optimal.hours});
    } catch (const Error& error) {
      if (error.code() != "plan.budget") throw;  // the hours pay for no such sweep
    }
  }

  void add_hours_needed(SweepPlan& plan) const {
    const Judged without_limit = cheapest(kInfinity);
    if (!without_limit.reached) return;
    plan.remedies.insert(
        plan.remedies.begin(),
        {fmt::format("more hours: the cheapest such sweep has {} runs",
                     runs_of(without_limit.sweep)),
         without_limit.error, without_limit.seconds / worker_seconds(plan.sweep, request_.cost),
         without_limit.hours});
  }

  const SweepRequest& request_;
  DesignModel model_;
  Eigen::MatrixXd contrasts_;
  double allowed_ = kInfinity;
};

}  // namespace

bool SweepTarget::reached(const SweepPrecision& precision) const {
  return (!standard_error || precision.standard_error(of) <= *standard_error) &&
         (!half_width || precision.half_width(of) <= *half_width);
}

SweepPlan plan_sweep(const SweepRequest& request) {
  constexpr const char* kExample = "an error of an exponent is a number above zero, such as 0.01";
  check_positive(request.target.standard_error, "a target standard error", kExample);
  check_positive(request.target.half_width, "a target half-width", kExample);
  check_positive(request.hours, "a budget of hours", "hours are above zero");
  check_cost(request.cost);
  return Planner(request).run();
}

}  // namespace assay
