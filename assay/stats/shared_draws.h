// Self-check: do examples draw their own noise, or share one draw?
#pragma once

#include "assay/stats/gradient_source.h"
#include "assay/stats/interval.h"

namespace assay {

struct SharedDraws {
  Estimate shared;     // trace of the objective's variance that all examples have in common
  double p_value = 1;  // of "nothing is shared", one-sided
};

/// The analysis of variance is nested: the objective's noise of an example is its own. If a level,
/// a mask or a noise vector depends on the draw but not on the example, the design is crossed: a
/// unit of b examples then has the objective's noise of one, and its variance is taken for b times
/// what it is.
///
/// Two units u ≠ v see the same two draws s and t: E (g_u(s) − g_u(t))·(g_v(s) − g_v(t)) is 0 if
/// draws belong to examples and twice the shared trace if not. That is |G|² of the differences, a
/// quantity that is zero under the hypothesis, tested as in signal_interval.h over `pairs` pairs of
/// draws (few levels may coincide in one). Cost: 2 × pairs gradients of every example; memory:
/// examples × P floats.
/// Throws Error stats.plan below 8 examples.
SharedDraws measure_shared_draws(GradientSource& source, std::span<const int64_t> examples,
                                 Seed seed, double progress, int64_t pairs = 4);

/// Throws Error stats.crossed if the p-value is below 1e-6.
void require_nested(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                    double progress);

}  // namespace assay
