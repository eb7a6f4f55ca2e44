// Tar shards in the WebDataset layout: KEY.jpg or KEY.png beside KEY.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "assay/data/faults.h"
#include "assay/data/files.h"
#include "assay/data/sample.h"

namespace assay {

struct LabelRule {
  std::string field;               // of the JSON; empty = no labels
  std::string box{};               // field with [left, top, right, bottom]; empty = no boxes
  std::optional<int64_t> classes;  // labels must lie in [0, classes)
};

/// Appends the samples of one uncompressed tar file that is mapped into memory; images are neither
/// copied nor decoded. Reports data.archive (not a tar file), data.truncated (what stands before
/// the cut is kept), data.label (missing, not an integer, out of range), data.box (not four
/// numbers in order) and data.decode (a JSON without an image).
void read_shard(const MappedFile& file, size_t shard, const LabelRule& labels, Faults& faults,
                std::vector<Sample>& samples);

}  // namespace assay
