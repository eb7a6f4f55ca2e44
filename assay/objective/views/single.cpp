// views single: the example as it is.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Single : public Views {
 public:
  std::vector<int64_t> sizes() const override { return {0}; }
  std::vector<Batch> views(const Batch& batch, const Draw&) const override { return {batch}; }
};

}  // namespace

PartEntry<Views> views_single() {
  PartEntry<Views> entry;
  entry.info = {"views", "single", "the example itself, without augmentation", "v = x", "", {}};
  entry.make = [](const Options&, const Setting&) { return std::make_shared<Single>(); };
  return entry;
}

}  // namespace assay
