// One encoded image of a file dataset, with its class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "assay/data/factors/box.h"

namespace assay {

struct Sample {
  size_t shard = 0;  // which of the mapped shards; 0 where each image is a file of its own
  std::string key;   // path inside the shard up to the first dot of the name, or below the folder
  size_t offset = 0, length = 0;   // of the image's bytes in the shard
  int32_t label = -1;              // -1 = none
  std::optional<ObjectBox> box{};  // where the data set ships one and it is asked for
};

}  // namespace assay
