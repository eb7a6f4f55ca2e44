// A trunk from a trial's snapshot, as a teacher that does not move.
#pragma once

#include "assay/core/options.h"
#include "assay/model/trunk.h"

namespace assay {

/// Throws Error config.checkpoint, at the option `checkpoint`, if the file is missing.
void check_checkpoint(const Options& options, const std::string& path);

/// Reads the averaged weights ("averages.trunk.…") of a snapshot into the trunk. Throws Error
/// config.checkpoint if a tensor is missing or has another shape.
void load_trunk(const std::string& path, Trunk& trunk);

}  // namespace assay
