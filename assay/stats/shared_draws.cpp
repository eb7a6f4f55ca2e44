// Cross products of differences between draws, between examples that saw the same draws; a batch
// beside its examples one by one.
#include "assay/stats/shared_draws.h"

#include <fmt/format.h>

#include <cmath>

#include "assay/core/error.h"
#include "assay/stats/kernels.h"
#include "assay/stats/nested_anova.h"
#include "assay/stats/signal_interval.h"

namespace assay {
namespace {

// Rows g_i(s) − g_i(t), one example each.
std::vector<float> differences(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                               double progress) {
  const size_t size = static_cast<size_t>(source.size());
  std::vector<float> rows(examples.size() * size), other(size);
  const Draw first = Draw::from(seed.child(0), progress);
  const Draw second = Draw::from(seed.child(1), progress);
  for (size_t i = 0; i < examples.size(); ++i) {
    const std::span<float> row = std::span(rows).subspan(i * size, size);
    source.gradient(examples.subspan(i, 1), first, row);
    source.gradient(examples.subspan(i, 1), second, other);
    for (size_t p = 0; p < size; ++p) row[p] -= other[p];
  }
  return rows;
}

// Gram matrix of rows that stand side by side.
void append(CentredGram& all, const CentredGram& more) {
  all.mean_squared += more.mean_squared;
  for (size_t i = 0; i < all.mean_dot.size(); ++i) all.mean_dot[i] += more.mean_dot[i];
  for (size_t i = 0; i < all.centred.size(); ++i) all.centred[i] += more.centred[i];
}

}  // namespace

SharedDraws measure_shared_draws(GradientSource& source, std::span<const int64_t> examples,
                                 Seed seed, double progress, int64_t pairs) {
  if (examples.size() < 8 || pairs < 1) {
    throw Error("stats.plan",
                fmt::format("{} examples and {} pairs of draws cannot show what "
                            "examples share",
                            examples.size(), pairs),
                "give at least 8 examples and 1 pair");
  }
  const int64_t m = std::ssize(examples);
  const GroupLayout layout({{"all", 0, source.size()}}, source.size());
  CentredGram gram;
  for (int64_t pair = 0; pair < pairs; ++pair) {
    const std::vector<float> rows =
        differences(source, examples, seed.child(static_cast<uint64_t>(pair)), progress);
    CentredGram own = centred_grams(Rows::of(rows, m, source.size()), layout)[0];
    pair == 0 ? void(gram = std::move(own)) : append(gram, own);
  }
  SharedDraws out;
  out.p_value = zero_signal_p_value(gram);
  // Each pair of draws differs by twice the shared variance.
  const double factor = 0.5 / static_cast<double>(pairs);
  const std::vector<double> none(static_cast<size_t>(m), 0.0);
  out.shared =
      estimate_noise({.examples_per_unit = 1, .draws = 2, .means = gram, .within = none}).signal;
  out.shared.value *= factor;
  out.shared.low *= factor;
  out.shared.high *= factor;
  out.shared.standard_error *= factor;
  return out;
}

double measure_coupling(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                        double progress) {
  const size_t size = static_cast<size_t>(source.size());
  const double n = static_cast<double>(examples.size());
  const Draw draw = Draw::from(seed, progress);
  std::vector<float> together(size), alone(size);
  source.gradient(examples, draw, together);
  double squares = 0;
  for (size_t i = 0; i < examples.size(); ++i) {
    source.gradient(examples.subspan(i, 1), draw, alone);
    squares += squared_norm(alone) / n;
    for (size_t p = 0; p < size; ++p) together[p] -= static_cast<float>(alone[p] / n);
  }
  const double distance = squared_norm(together);
  return distance == 0 ? 0 : std::sqrt(distance / squares);
}

void require_nested(GradientSource& source, std::span<const int64_t> examples, Seed seed,
                    double progress) {
  const SharedDraws found = measure_shared_draws(source, examples, seed, progress);
  if (found.p_value < 1e-6) {
    throw Error("stats.crossed",
                fmt::format("examples share the objective's draws (p = {:.1e}): levels or patterns "
                            "are crossed with examples, not nested in them",
                            found.p_value),
                "draw levels and patterns from (draw, example id), or measure in units of one "
                "example");
  }
  const double coupling = measure_coupling(source, examples, seed, progress);
  if (coupling > 1e-3) {
    throw Error("stats.coupled",
                fmt::format("the gradient of a batch is {:.1e} away from the mean of its examples' "
                            "own, in units of one of them",
                            coupling),
                "draw levels for each example, not spread over the batch, and divide by expected "
                "numbers of targets; or declare the objective coupled, so that its unit is a "
                "training batch");
  }
}

}  // namespace assay
