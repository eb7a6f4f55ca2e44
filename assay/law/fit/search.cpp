#include "assay/law/fit/search.h"

#include <algorithm>
#include <cmath>

namespace assay {

Polished polish_in_rounds(LawObjective& objective, const LawVector& start,
                          const PolishOptions& options) {
  const double delta = objective.delta();
  PolishOptions rough = options;
  rough.rough = 1e-3;
  LawVector at = start;
  for (double coarse = kCoarseDelta; coarse > 1.5 * delta; coarse /= std::sqrt(10.0)) {
    objective.set_delta(coarse);
    at = polish(objective, at, rough).parameters;
  }
  objective.set_delta(delta);
  return polish(objective, at, options);
}

bool same_minimum(double objective, double best) {
  return objective <= best + 1e-9 * std::fabs(best) + 1e-24;
}

SearchResult polish_all(LawObjective& objective, const std::vector<GridStart>& starts,
                        const PolishOptions& options) {
  SearchResult out;
  std::vector<double> found;
  for (const GridStart& start : starts) {
    const Polished polished = polish_in_rounds(objective, start.parameters, options);
    if (found.empty() || polished.objective < out.best.objective) out.best = polished;
    found.push_back(polished.objective);
  }
  out.starts = static_cast<int>(found.size());
  out.agreeing = static_cast<int>(std::count_if(found.begin(), found.end(), [&](double value) {
    return same_minimum(value, out.best.objective);
  }));
  return out;
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
  objective.resample(rows, rows.weight);
  SearchResult out;
  out.starts = static_cast<int>(starts.size());
  for (std::size_t k = 0; k < minima.size(); ++k) {
    const Polished polished = polish(objective, minima[k].parameters, options);
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
