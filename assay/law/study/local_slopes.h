// How steeply a loss falls within the range that was trained, whatever its law.
#pragma once

#include <optional>
#include <span>

#include "assay/law/table/observation.h"
#include "assay/stats/interval.h"

namespace assay {

/// Of log L = constant − size log N − data log D, by least squares: the log-linear approximation
/// over this design. It needs no floor, so that designs which identify no law still have it, and
/// extrapolates nothing: with a floor, slopes flatten beyond the range.
struct LocalSlopes {
  /// Standard errors by what leaving each run out changes: of runs of one row HC3 (MacKinnon and
  /// White 1985), of several CR3 (Bell and McCaffrey 2002), so that the approximation's misfit
  /// counts as noise; 95% by Student's t for the runs less three.
  Estimate size, data;
  int64_t rows = 0, runs = 0;
};

/// Of measured rows. Nothing where fewer than six have N, D and a positive loss, or four runs, or
/// where log N and log D do not vary apart from each other.
std::optional<LocalSlopes> local_slopes(std::span<const Observation> observations);

}  // namespace assay
