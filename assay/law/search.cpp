#include "assay/law/search.h"

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

SearchResult search(StartGrid& grid, LawObjective& objective, std::size_t starts,
                    const PolishOptions& options) {
  const double delta = objective.delta();
  objective.set_delta(std::max(delta, kCoarseDelta));
  const std::vector<GridStart> from = grid.starts(objective, starts);
  objective.set_delta(delta);
  return polish_all(objective, from, options);
}

}  // namespace assay
