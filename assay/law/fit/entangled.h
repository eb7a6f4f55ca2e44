// What forms need beside a grid whose parameters can stand in for each other: their objectives have
// long valleys, minima at bounds and many others.
#pragma once

#include "assay/law/fit/polish.h"
#include "assay/law/fit/start_grid.h"

namespace assay {

/// Of three or more parameters beside the coefficients.
bool entangled(const Form& form);

/// Starts after a few steps, the `count` lowest at the objective's δ: the value on the grid says
/// little of where a start leads. Every other one goes by way of the coarse δ.
std::vector<GridStart> probed(LawObjective& objective, const std::vector<GridStart>& starts,
                              std::size_t count);

/// From the best found: each parameter put at its bounds, and a bend between each two rows.
std::vector<Polished> polish_elsewhere(LawObjective& objective, const Polished& best,
                                       const PolishOptions& options);

/// Of flat valleys the polish may reach no end: descent and polish in turn until neither gains.
Polished settled(LawObjective& objective, Polished best, const PolishOptions& options);

}  // namespace assay
