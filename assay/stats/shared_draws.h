// Self-checks: do examples draw their own noise, and is a batch no more than its examples?
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

/// |g(examples) − mean of g(example)| under one draw, over the root mean square of |g(example)|: 0
/// to rounding where a unit's gradient is the mean of what its examples give alone. It is not for
/// losses that couple examples, for noise levels spread over a batch (stratified or antithetic: the
/// traces would be taken for a fraction of what one example has), and for means over all targets of
/// a batch where their number varies. Cost: two gradients of every example.
double measure_coupling(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                        double progress);

/// Throws Error stats.crossed if the p-value of shared draws is below 1e-6, stats.coupled if the
/// coupling is above 1e-3.
void require_nested(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                    double progress);

}  // namespace assay
