// views crop: random crops of the example at its own resolution.
#include "assay/objective/augment.h"
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Crop : public Views {
 public:
  Crop(int64_t count, Augmentation augmentation) : count_(count), augmentation_(augmentation) {}

  std::vector<int64_t> sizes() const override {
    return std::vector<int64_t>(static_cast<size_t>(count_), 0);
  }
  std::vector<Batch> views(const Batch& batch, const Draw& draw) const override {
    std::vector<Batch> out;
    for (int64_t v = 0; v < count_; ++v) {
      const Seed stream = draw.pattern.child("crop").child(static_cast<uint64_t>(v));
      out.push_back(batch);
      out.back().images =
          augmented(batch.images, row_keys(batch), stream, batch.images.size(2), augmentation_);
    }
    return out;
  }

 private:
  int64_t count_;
  Augmentation augmentation_;
};

}  // namespace

PartEntry<Views> views_crop() {
  using namespace declare;
  PartEntry<Views> entry;
  std::vector<Option> options = augmentation_options(0.3, 1);
  options.insert(options.begin(), integer("count", 2, closed(1, 16), "views of each example"));
  entry.info = {
      "views",
      "crop",
      "random crops and flips, resampled to the size of the image; colour jitter on demand",
      "v_k = flip_k(crop_k(x)),  area share uniform on [smallest, largest]",
      "Chen et al. 2020, arXiv 2002.05709 (SimCLR), aspect ratio 1",
      std::move(options)};
  entry.modality = Modality::image;
  entry.make = [](const Options& given, const Setting&) {
    return std::make_shared<Crop>(given.integer("count"), augmentation(given));
  };
  return entry;
}

}  // namespace assay
