// What all datasets of encoded images share: decode once, keep, and hand out batches.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "assay/data/dataset.h"
#include "assay/data/factors/derived_images.h"
#include "assay/data/image_store.h"

namespace assay {

/// `size`, `cache_mb`, `cache_dir` and `on_error`: the options of every dataset of encoded images.
std::vector<Option> image_file_options();

/// Where encoded images lie.
struct ImageSource {
  /// Called only if no cache holds the decoded images; reports what cannot be used.
  std::function<std::vector<Sample>(Faults&)> list;
  DecodeSample decode;
};

/// RGB images of one size with at most one class each, in the first of these that works: the cache
/// on disk, decoded into memory, decoded for each batch.
class LabelledImages {
 public:
  /// info.hash names the cache file; info.skipped and info.notes are filled in. `split` is the
  /// option that named the images. Throws Error data.empty, and what `source` throws.
  LabelledImages(const Options& options, const std::string& split, ImageSource source,
                 Faults& faults, DatasetInfo& info);

  int64_t size() const { return images_.count; }
  const std::vector<int32_t>& labels() const { return images_.labels; }
  /// For derived factors, to be asked for before info.hash depends on them; this must outlive it.
  DerivedSource derived_source(const Options& options, const DatasetInfo& info) const;
  bool from_cache() const { return from_cache_; }  // the source is not needed any more

  /// images [B, 3, size, size], labels [B, 1] or, without a factor, [B, 0]. Throws Error
  /// data.range; data.decode when it decodes each batch.
  Batch get(std::span<const int64_t> ids, bool with_labels) const;

 private:
  void load(double most_bytes, const std::string& folder, Faults& faults, DatasetInfo& info);
  bool use_cache(const std::string& path, double most_bytes, DatasetInfo& info);
  void save(const std::string& path, DatasetInfo& info);

  ImageSource source_;
  std::vector<Sample> samples_;
  DecodedImages images_;  // pixels = nullptr: decode each batch
  bool from_cache_ = false;
};

/// Fills in entropy_bits of the first factor, the class, from the labels as they occur.
void count_classes(const LabelledImages& images, DatasetInfo& info);

}  // namespace assay
