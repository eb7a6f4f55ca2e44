// Datasets: pure functions from example ids to batches.
#pragma once

#include "assay/core/options.h"
#include "assay/core/seed.h"
#include "assay/tensor/torch.h"

namespace assay {

/// B examples. Row b is example ids[b]; replicas[b] tells repeated draws of one example apart.
struct Batch {
  std::vector<int64_t> ids;       // [B]
  std::vector<int64_t> replicas;  // [B], 0 unless the same id stands in the batch before
  Tensor images;  // [B, C, S, S] float32, about zero mean and -1..1; undefined for text
  Tensor bytes;   // [B, T + 1] int64 in 0..255: byte t + 1 is what byte t predicts; undefined for
                  // images
  Tensor labels;  // [B, K] int64: value of each factor of DatasetInfo::factors; -1 = unknown

  int64_t size() const { return static_cast<int64_t>(ids.size()); }
};

enum class Modality { image, text };

/// What a probe can read from an example.
struct Factor {
  std::string name;
  int64_t cardinality = 0;
  double entropy_bits = 0;  // H(factor) under the data's distribution (empirical for real data)
  std::string kind = "content";  // content | position: summed apart
};

struct DatasetInfo {
  std::string kind;
  Modality modality = Modality::image;
  int64_t channels = 0, image_size = 0;  // images: [channels, image_size, image_size]
  int64_t window = 0;                    // text: T
  std::vector<Factor> factors;
  std::string hash;     // of the content: a resumed trial must find the same data
  int64_t skipped = 0;  // entries left out under on_error = "skip"
  std::vector<std::string>
      notes;  // said to the user and kept in the records (e.g. "not cached: …")
};

/// get() is pure: the same ids give the same batch, in any order, from any process.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const DatasetInfo& info() const = 0;
  virtual int64_t size() const = 0;  // ids are 0 … size() - 1
  /// Throws Error data.* with the file and entry.
  virtual Batch get(std::span<const int64_t> ids) const = 0;
};

/// Training and held-out examples never overlap; held-out ones are what meters see.
enum class Split { train, heldout };

struct DatasetEntry {
  std::string name;
  std::string summary;
  std::vector<Option> options;
  /// base: the folder that relative paths start from.
  std::unique_ptr<Dataset> (*make)(const Options& options, Split split, const std::string& base);
  /// Shapes, modality and factors from the options and, where these do not say, from headers and
  /// folder listings, never from pixels or text (for `assay check`). Cardinality 0 = not known yet.
  DatasetInfo (*describe)(const Options& options, const std::string& base);
};

/// Every dataset of builtin.def.
const std::vector<DatasetEntry>& dataset_entries();
/// Throws Error config.choice naming the nearest kind.
const DatasetEntry& dataset_entry(const Node& table, const std::string& where);

/// Fills replicas from repeated ids: 0 for the first occurrence, 1 for the second, …
std::vector<int64_t> replicas_of(std::span<const int64_t> ids);

/// A batch that has its ids and replicas only. Throws Error data.range unless all ids are in
/// 0 … size - 1.
Batch batch_of(std::span<const int64_t> ids, int64_t size);

/// Entropy in bits of labels as they occur; -1 (unknown) does not count. Labels are below
/// `cardinality`.
double empirical_entropy(std::span<const int64_t> labels, int64_t cardinality);

/// Ids of step `step` in an endless sequence of epochs, each a fresh permutation of 0 … size - 1;
/// a pure function of its arguments, so that resuming needs no state.
std::vector<int64_t> ids_of_step(Seed order, int64_t size, int64_t batch, int64_t step);

}  // namespace assay
