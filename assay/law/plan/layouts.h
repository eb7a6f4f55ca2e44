// Regular sweeps: the full grid, and slices of equal compute.
#pragma once

#include "assay/law/plan/precision.h"

namespace assay {

struct GridLayout {
  int sizes = 5, budgets = 5;  // levels of N and D, evenly spaced in logarithms
  int seeds = 1;
  int corner_seeds = 2;  // further seeds at the four corners: from them comes σ
};
/// A column that does not vary in the region has one level. Throws Error plan.layout for fewer than
/// two levels of a column that varies, or counts below zero.
Sweep grid_sweep(const SweepRegion& region, const GridLayout& layout,
                 const SizeRounding& rounding = {});

/// Slices of equal compute (approach 2 of Hoffmann et al. 2022), fitted as a surface: a parabola a
/// slice shifts its vertex unless alpha = beta (arXiv:2603.22339).
struct IsoflopLayout {
  int budgets = 5;         // slices, evenly spaced in log C
  int sizes = 4;           // of each slice, evenly spaced in log N about the guessed optimum
  double reach = 1;        // decades to either side of it
  double least_width = 1;  // decades of N that the outermost slices have inside the region
  int seeds = 1;
};
/// Slices inside the region: C from the lowest to the highest for which the sizes within `reach` of
/// N*(C) and inside the region span `least_width` decades. Throws Error plan.layout for fewer than
/// four slices or three sizes, a law without N and D, or a region too small for slices.
Sweep isoflop_sweep(const DesignModel& model, const SweepRegion& region,
                    const IsoflopLayout& layout, double flops_per,
                    const SizeRounding& rounding = {});
/// The same between two computes, wherever that lies.
Sweep isoflop_between(const DesignModel& model, double least_compute, double greatest_compute,
                      const IsoflopLayout& layout, double flops_per);

}  // namespace assay
