// What corruptions with noise levels share.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// One uniform per row, inside draw.level_bin if that is given; fills level_bin. Bins have equal
/// probability by construction: u is cut into equal parts and the law's quantile is increasing, so
/// that uniformly mixed bins are the law itself. float64 [B].
Tensor level_uniforms(const RowKeys& rows, const Draw& draw, int64_t bins,
                      std::vector<int>& level_bin);

/// The option `path` and its value.
Option path_option();
Path path_of(const Options& options);

}  // namespace assay
