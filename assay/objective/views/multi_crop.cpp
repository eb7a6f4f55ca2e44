// views multi_crop: a few large views and several small ones at lower resolution.
#include <fmt/format.h>

#include "assay/objective/augment.h"
#include "assay/objective/registry.h"

namespace assay {

namespace {

class MultiCrop : public Views {
 public:
  MultiCrop(int64_t global, int64_t local, int64_t local_side, Augmentation wide,
            Augmentation narrow)
      : global_(global), local_(local), local_side_(local_side), wide_(wide), narrow_(narrow) {}

  std::vector<int64_t> sizes() const override {
    std::vector<int64_t> out(static_cast<size_t>(global_), 0);
    out.insert(out.end(), static_cast<size_t>(local_), local_side_);
    return out;
  }
  std::vector<Batch> views(const Batch& batch, const Draw& draw) const override {
    std::vector<Batch> out;
    for (int64_t v = 0; v < global_ + local_; ++v) {
      const Seed stream = draw.pattern.child("crop").child(static_cast<uint64_t>(v));
      const bool global = v < global_;
      out.push_back(batch);
      out.back().images =
          augmented(batch.images, row_keys(batch), stream,
                    global ? batch.images.size(2) : local_side_, global ? wide_ : narrow_);
    }
    return out;
  }

 private:
  int64_t global_, local_, local_side_;
  Augmentation wide_, narrow_;
};

std::shared_ptr<Views> make(const Options& options, const Setting& setting) {
  const int64_t patch = setting.model.patch, side = options.integer("local_side");
  const int64_t half = setting.data.image_size / 2 / patch * patch;
  const int64_t local_side = side == 0 ? std::max(half, patch) : side;
  if (local_side % patch != 0 || local_side > setting.data.image_size)
    throw options.error(
        "local_side", "config.patch",
        fmt::format("small views of side {} do not suit patches of {} and images of {}", local_side,
                    patch, setting.data.image_size),
        "it must be divisible by model.patch and at most the image size");
  Augmentation wide = augmentation(options), narrow = wide;
  narrow.largest = wide.smallest;
  narrow.smallest = options.real("local_smallest");
  if (narrow.smallest > narrow.largest)
    throw options.error("local_smallest", "config.range",
                        fmt::format("`local_smallest` {} exceeds `smallest` {}, the largest share "
                                    "of a small view",
                                    narrow.smallest, narrow.largest),
                        "small views cover local_smallest … smallest of the area");
  return std::make_shared<MultiCrop>(options.integer("global"), options.integer("local"),
                                     local_side, wide, narrow);
}

}  // namespace

PartEntry<Views> views_multi_crop() {
  using namespace declare;
  PartEntry<Views> entry;
  std::vector<Option> options = augmentation_options(0.4, 1);
  options.push_back(integer("global", 2, closed(1, 8), "large views, at the size of the image"));
  options.push_back(integer("local", 4, closed(0, 16), "small views"));
  options.push_back(integer("local_side", 0, at_least(0),
                            "side of small views in pixels; 0 = half of the image's"));
  options.push_back(real("local_smallest", 0.1, {0, 1, true, false},
                         "least share of the area that a small view covers; at most `smallest`"));
  entry.info = {"views",
                "multi_crop",
                "large random crops at full resolution, then small ones at a lower resolution",
                "v_k = flip_k(crop_k(x)),  area share: large on [smallest, largest], small on "
                "[local_smallest, smallest]",
                "Caron et al. 2020, arXiv 2006.09882 (SwAV); scales of DINO, arXiv 2104.14294",
                std::move(options)};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
