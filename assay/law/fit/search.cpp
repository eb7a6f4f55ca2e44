#include "assay/law/fit/search.h"

#include <algorithm>
#include <cmath>

#include "assay/law/fit/descent.h"
#include "assay/law/fit/entangled.h"

namespace assay {
namespace {

constexpr int kMostRounds = 5;     // of polish_elsewhere
constexpr int kBeforeValleys = 8;  // iterations: twice what a table with a clear minimum takes

}  // namespace

Polished polish_along_valleys(LawObjective& objective, const LawVector& start,
                              const PolishOptions& options) {
  PolishOptions few = options;
  few.most_iterations = std::min(kBeforeValleys, options.most_iterations);
  const Polished near = polish(objective, start, few);
  if (near.converged || few.most_iterations == options.most_iterations) return near;
  const Descended end =
      descend(objective, near.parameters, {.least_fall = 1e-6, .held = options.held});
  return polish(objective, end.parameters, options);
}

Polished polish_in_rounds(LawObjective& objective, const LawVector& start,
                          const PolishOptions& options) {
  const double delta = objective.delta();
  LawVector at = start;
  if (entangled(objective.form())) {
    for (double coarse = kCoarseDelta; coarse > 1.5 * delta; coarse /= std::sqrt(10.0)) {
      objective.set_delta(coarse);
      at = descend(objective, at, {.most_iterations = 40, .least_fall = 1e-3}).parameters;
    }
    objective.set_delta(delta);
    return polish(objective, descend(objective, at).parameters, options);
  }
  PolishOptions rough = options;
  rough.rough = 1e-3;
  for (double coarse = kCoarseDelta; coarse > 1.5 * delta; coarse /= std::sqrt(10.0)) {
    objective.set_delta(coarse);
    at = polish(objective, at, rough).parameters;
  }
  objective.set_delta(delta);
  return polish_along_valleys(objective, at, options);
}

bool same_minimum(double objective, double best) {
  return objective <= best + 1e-9 * std::fabs(best) + 1e-24;
}

namespace {

constexpr double kNearlyThere = 1e-3;  // gradient ratio at which starts are compared

struct Arrival {
  LawVector at;
  double objective;
  int count;
};

bool met(const Arrival& one, const Polished& other) {
  const LawVector apart = (one.at - other.parameters).cwiseAbs();
  const LawVector scale = one.at.cwiseAbs() + LawVector::Constant(one.at.size(), 0.1);
  return std::fabs(one.objective - other.objective) <= 1e-5 * one.objective &&
         apart.cwiseQuotient(scale).maxCoeff() <= 1e-2;
}

// Where starts arrive at the coarse δ. Most arrive at one place, and go one way from there: it is
// walked once.
std::vector<Arrival> arrivals(LawObjective& objective, const std::vector<GridStart>& starts,
                              PolishOptions options) {
  const double delta = objective.delta();
  options.tolerance = std::max(options.tolerance, kNearlyThere);
  objective.set_delta(std::max(delta, kCoarseDelta));
  std::vector<Arrival> out;
  for (const GridStart& start : starts) {
    const Polished end = polish_along_valleys(objective, start.parameters, options);
    const auto known = std::find_if(
        out.begin(), out.end(), [&](const Arrival& one) { return end.converged && met(one, end); });
    if (known == out.end())
      out.push_back({end.parameters, end.objective, 1});
    else
      ++known->count;
  }
  objective.set_delta(delta);
  return out;
}

class Ends {
 public:
  void take(const Polished& end, int count) {
    if (objectives_.empty() || end.objective < best.objective) best = end;
    objectives_.insert(objectives_.end(), static_cast<std::size_t>(count), end.objective);
  }
  int agreeing() const {
    return static_cast<int>(
        std::count_if(objectives_.begin(), objectives_.end(),
                      [&](double value) { return same_minimum(value, best.objective); }));
  }
  int count() const { return static_cast<int>(objectives_.size()); }

  Polished best;

 private:
  std::vector<double> objectives_;
};

Ends ends_of(LawObjective& objective, const std::vector<GridStart>& starts,
             const PolishOptions& options) {
  Ends out;
  if (!entangled(objective.form())) {
    for (const Arrival& arrival : arrivals(objective, starts, options))
      out.take(polish_in_rounds(objective, arrival.at, options), arrival.count);
    return out;
  }
  for (std::size_t i = 0; i < starts.size(); ++i) {
    // Rounds of falling δ pass over minima that the last δ alone has.
    const LawVector& at = starts[i].parameters;
    out.take(i % 2 == 0 ? polish(objective, descend(objective, at).parameters, options)
                        : polish_in_rounds(objective, at, options),
             1);
  }
  return out;
}

}  // namespace

namespace {

// Where a single minimum was not reached from everywhere: others are likely.
bool doubtful(const Form& form, const Ends& ends) {
  if (entangled(form) || !ends.best.converged || ends.agreeing() < 2) return true;
  for (std::size_t j = form.coefficients(); j < form.size(); ++j) {
    const double value = ends.best.parameters[static_cast<Eigen::Index>(j)];
    if (value <= form.parameters()[j].low || value >= form.parameters()[j].high) return true;
  }
  return false;
}

}  // namespace

SearchResult polish_all(LawObjective& objective, const std::vector<GridStart>& starts,
                        const PolishOptions& options, bool thorough) {
  Ends ends = ends_of(objective, starts, options);
  if (thorough && doubtful(objective.form(), ends)) {
    for (int round = 0; round < kMostRounds; ++round) {
      const double before = ends.best.objective;
      for (const Polished& other : polish_elsewhere(objective, ends.best, options))
        ends.take(other, 1);
      if (same_minimum(before, ends.best.objective)) break;
    }
    ends.best = settled(objective, ends.best, options);
  }
  // At least the best itself agrees, which may have settled below where its start had stopped.
  return {ends.best, ends.count(), std::max(1, ends.agreeing())};
}

SearchResult polish_in_parts(LawObjective& objective, const FitRows& rows,
                             const std::vector<GridStart>& starts, const PolishOptions& options) {
  std::vector<Polished> minima;
  std::vector<int> arrived;
  for (const GridStart& start : starts) {
    Polished polished = polish_in_rounds(objective, start.parameters, options);
    const auto known = std::find_if(minima.begin(), minima.end(), [&](const Polished& other) {
      return same_minimum(polished.objective, other.objective) &&
             same_minimum(other.objective, polished.objective);
    });
    if (known == minima.end()) {
      minima.push_back(std::move(polished));
      arrived.push_back(1);
    } else {
      ++arrived[static_cast<std::size_t>(known - minima.begin())];
    }
  }
  // A pass over all rows costs most: the part's curvature spares those that would learn it.
  std::vector<LawMatrix> curvatures;
  const double part = objective.total_weight();
  for (const Polished& minimum : minima)
    curvatures.push_back(curvature(objective, minimum.parameters));
  objective.resample(rows, rows.weight);
  SearchResult out;
  out.starts = static_cast<int>(starts.size());
  PolishOptions all = options;
  for (std::size_t k = 0; k < minima.size(); ++k) {
    curvatures[k] *= objective.total_weight() / part;
    all.matrix = &curvatures[k];
    const Polished polished = polish(objective, minima[k].parameters, all);
    const bool same = k > 0 && same_minimum(polished.objective, out.best.objective) &&
                      same_minimum(out.best.objective, polished.objective);
    if (k > 0 && !same && polished.objective > out.best.objective) continue;
    out.agreeing = same ? out.agreeing + arrived[k] : arrived[k];
    if (k == 0 || polished.objective < out.best.objective) out.best = polished;
  }
  return out;
}

std::vector<double> part_of(const FitRows& rows) {
  constexpr double kGolden = 0.6180339887498949;
  const double share = 0.5 * static_cast<double>(kManyRows) / static_cast<double>(rows.count);
  std::vector<double> out = rows.weight;
  for (std::size_t i = 0; i < rows.count; ++i) {
    const double place = static_cast<double>(i) * kGolden;
    if (place - std::floor(place) > share) out[i] = 0;
  }
  return out;
}

SearchResult search(StartGrid& grid, LawObjective& objective, std::size_t starts,
                    const PolishOptions& options) {
  const double delta = objective.delta();
  objective.set_delta(std::max(delta, kCoarseDelta));
  const std::vector<GridStart> from = grid.starts(objective, starts);
  objective.set_delta(delta);
  return polish_all(objective, from, options);
}

}  // namespace assay
