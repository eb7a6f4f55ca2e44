#include "assay/law/fit/entangled.h"

#include <algorithm>
#include <cmath>

#include "assay/law/fit/descent.h"
#include "assay/law/fit/search.h"

namespace assay {
namespace {

constexpr int kProbe = 10;    // iterations
constexpr int kSettling = 6;  // rounds
constexpr std::size_t kMostGaps = 24;
constexpr double kSame = 1e-3;  // of the sum, after probing
constexpr double kNear = 1e-2;  // of the sum: how far above the best a bound's minimum is followed

}  // namespace

bool entangled(const Form& form) { return form.size() - form.coefficients() >= 3; }

std::vector<GridStart> probed(LawObjective& objective, const std::vector<GridStart>& starts,
                              std::size_t count) {
  // Rounds of falling δ pass over minima that the last δ alone has: every other probe takes it.
  const double delta = objective.delta();
  std::vector<GridStart> out;
  for (std::size_t i = 0; i < starts.size(); ++i) {
    LawVector at = starts[i].parameters;
    if (i % 2 == 0) {
      objective.set_delta(std::max(delta, kCoarseDelta));
      at = descend(objective, at, {.most_iterations = kProbe}).parameters;
    }
    objective.set_delta(delta);
    const Descended end = descend(objective, at, {.most_iterations = kProbe});
    if (std::isfinite(end.objective)) out.push_back({end.parameters, end.objective});
  }
  std::sort(out.begin(), out.end(),
            [](const GridStart& a, const GridStart& b) { return a.objective < b.objective; });
  // Two of each value, which is likely one minimum, so that others are polished too; then the rest.
  std::vector<GridStart> kept, twins;
  for (const GridStart& start : out) {
    const bool new_value =
        kept.size() < 2 || start.objective > kept[kept.size() - 2].objective * (1 + kSame);
    (new_value ? kept : twins).push_back(start);
  }
  kept.insert(kept.end(), twins.begin(), twins.end());
  kept.resize(std::min(kept.size(), count));
  return kept;
}

namespace {

// Where a parameter hardly matters the sum may fall all the way to a bound, along a valley too flat
// to follow: each parameter but the coefficients is put at its bounds in turn, the others follow,
// and what comes close to the best is polished freely.
std::vector<Polished> from_bounds(LawObjective& objective, const Polished& best,
                                  const PolishOptions& options) {
  const Form& form = objective.form();
  const int most = options.most_iterations;
  std::vector<Polished> out;
  for (std::size_t j = 0; j < form.size(); ++j) {
    const auto index = static_cast<Eigen::Index>(j);
    const bool coefficient = j < form.coefficients();
    for (const double bound : {form.parameters()[j].low, form.parameters()[j].high}) {
      // A floor or a term of zero is found by every start: only terms that may not vanish are
      // tried.
      if (best.parameters[index] == bound || (coefficient && !(bound > 0 && bound < 1))) continue;
      LawVector start = best.parameters;
      start[index] = bound;
      if (!coefficient) {
        const double kept = objective.value(start);
        LawVector projected = start;
        objective.project(start.data() + form.coefficients(), projected.data());
        if (!(kept <= objective.value(projected))) start = projected;
      }
      const Descended end =
          descend(objective, start, {.most_iterations = std::min(120, most), .held = 1u << j});
      if (end.objective <= best.objective * (1 + kNear))
        out.push_back(polish(
            objective, descend(objective, end.parameters, {.most_iterations = most}).parameters,
            options));
    }
  }
  return out;
}

// Between neighbouring rows, at most `most` of them.
std::vector<double> gaps(std::span<const double> column, std::size_t most) {
  std::vector<double> sorted(column.begin(), column.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<double> out;
  const std::size_t step = std::max<std::size_t>(1, sorted.size() / most);
  for (std::size_t i = 0; i + 1 < sorted.size(); i += step)
    out.push_back(0.5 * (sorted[i] + sorted[i + 1]));
  return out;
}

// The best's bend put between rows, sharp and as it is.
std::vector<Polished> from_gaps(LawObjective& objective, const Polished& best,
                                const PolishOptions& options) {
  const Form& form = objective.form();
  const int most = options.most_iterations;
  std::vector<Polished> out;
  for (std::size_t j = 0; j + 1 < form.size(); ++j) {
    if (!form.parameters()[j].bend) continue;
    const auto index = static_cast<Eigen::Index>(j);
    for (const double place : gaps(objective.column(form.axes().front()), kMostGaps)) {
      for (const double width : {form.parameters()[j + 1].low, best.parameters[index + 1]}) {
        LawVector start = best.parameters;
        start[index] = place;
        start[index + 1] = width;
        const Descended end =
            descend(objective, start, {.most_iterations = std::min(20, most), .held = 3u << j});
        if (end.objective <= best.objective * (1 + 10 * kNear))
          out.push_back(polish(
              objective, descend(objective, end.parameters, {.most_iterations = most}).parameters,
              options));
      }
    }
  }
  return out;
}

}  // namespace

Polished settled(LawObjective& objective, Polished best, const PolishOptions& options) {
  for (int round = 0; round < kSettling && !best.converged; ++round) {
    const double before = best.objective;
    const Descended end =
        descend(objective, best.parameters,
                {.most_iterations = options.most_iterations, .least_fall = 1e-12});
    Polished next = polish(objective, end.parameters, options);
    if (next.objective < best.objective || next.converged) best = std::move(next);
    if (!(best.objective < before * (1 - 1e-12))) break;
  }
  return best;
}

std::vector<Polished> polish_elsewhere(LawObjective& objective, const Polished& best,
                                       const PolishOptions& options) {
  std::vector<Polished> out = from_bounds(objective, best, options);
  for (Polished& polished : from_gaps(objective, best, options)) out.push_back(std::move(polished));
  return out;
}

}  // namespace assay
