// From a grid to the best polished minimum: shared by fits and by resamples that start afresh.
#pragma once

#include "assay/law/fit/polish.h"
#include "assay/law/fit/start_grid.h"

namespace assay {

/// δ of the grid, and of the first round of every start: coarse, so that distant rows still pull.
constexpr double kCoarseDelta = 0.03;

/// polish; where a few iterations do not arrive, from the other end of the valley: along it first
/// (descent.h), in which quasi-Newton steps take up to a hundred times as many evaluations where a
/// table hardly tells its exponents from its floor.
Polished polish_along_valleys(LawObjective& objective, const LawVector& start,
                              const PolishOptions& options);

/// Brings a start to the objective's δ by rounds of δ falling by √10, and polishes it there.
Polished polish_in_rounds(LawObjective& objective, const LawVector& start,
                          const PolishOptions& options);

struct SearchResult {
  Polished best;
  int starts = 0, agreeing = 0;
};

/// Objectives that differ by less count as the same minimum.
bool same_minimum(double objective, double best);

/// All starts polished; the best, and how many agree with it. Starts of forms that are not
/// entangled that have met at the coarse δ are one from there on, and count as many. `thorough`:
/// where the form is entangled, or the best did not converge, stands alone or lies at a bound,
/// starts are made from the best too, for as long as they find lower ones (polish_elsewhere).
SearchResult polish_all(LawObjective& objective, const std::vector<GridStart>& starts,
                        const PolishOptions& options, bool thorough = false);

/// Rows above which minima are first sought in a part of them.
constexpr std::size_t kManyRows = 8192;

/// polish_all for many rows: starts are polished on the objective's part of the rows as it is, and
/// one of each minimum found there on all of `rows`, which the objective has afterwards.
SearchResult polish_in_parts(LawObjective& objective, const FitRows& rows,
                             const std::vector<GridStart>& starts, const PolishOptions& options);

/// Weights of about kManyRows/2 rows, spread evenly over the table.
std::vector<double> part_of(const FitRows& rows);

/// Grid at the coarse δ and polish_all at the objective's own.
SearchResult search(StartGrid& grid, LawObjective& objective, std::size_t starts,
                    const PolishOptions& options);

}  // namespace assay
