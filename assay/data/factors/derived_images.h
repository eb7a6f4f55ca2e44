// Derived factors of images: bins of what can be read off the pixels, or off a shipped box.
#pragma once

#include <functional>
#include <optional>

#include "assay/data/dataset.h"
#include "assay/data/factors/box.h"
#include "assay/data/factors/quantile_bins.h"

namespace assay {

/// `derived` and `derived_bins`. boxes: whether the kind of data set can ship boxes.
std::vector<Option> derived_image_options(bool boxes);

/// The factors that `derived` names, in its order, with cardinality and kind; none without it.
/// Throws Error config.choice (unknown name), config.duplicate (named twice), config.factor (a box
/// or a hue that this data cannot have).
std::vector<Factor> derived_image_factors(const Options& options, int64_t channels, bool boxes);

/// What a split hands over.
struct DerivedSource {
  int64_t size = 0;
  std::string hash;    // of the content that statistics are made from
  std::string folder;  // where statistics are kept; "" = nowhere
  std::function<Tensor(std::span<const int64_t>)> images;  // [B, C, S, S]; from several threads
  /// Of every example, in order; called only if a box factor is asked for and not yet known.
  std::function<std::vector<std::optional<BoxPlace>>()> boxes;
};

class DerivedImages {
 public:
  /// The last factors of `info` are the derived ones: their entropies are filled in, and info.hash
  /// comes to depend on their names and edges. of_training: bins of the training split; absent =
  /// this is the training split, they are fitted here. Throws Error data.factor.
  DerivedImages(const Options& options, const DerivedSource& source,
                const std::function<std::vector<QuantileBins>()>& of_training, DatasetInfo& info);

  /// labels [B, K] with the derived ones behind. [B, K + derived]
  Tensor append(const Tensor& labels, std::span<const int64_t> ids) const;
  const std::vector<QuantileBins>& bins() const { return bins_; }

 private:
  void fill_in(DatasetInfo& info) const;

  std::vector<std::string> names_;
  std::vector<QuantileBins> bins_;
  int64_t rows_ = 0;
  std::vector<int64_t> labels_;  // [rows, names]
};

}  // namespace assay
