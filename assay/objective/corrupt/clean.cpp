// corrupt clean: nothing is hidden.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Clean : public Corrupt {
 public:
  NoiseField field(const RowKeys&, const Draw&, const at::TensorOptions&) const override {
    return {};
  }
};

}  // namespace

PartEntry<Corrupt> corrupt_clean() {
  PartEntry<Corrupt> entry;
  entry.info = {"corrupt", "clean", "the trunk sees the view as it is", "σ = 0", "", {}};
  entry.make = [](const Options&, const Setting&) { return std::make_shared<Clean>(); };
  return entry;
}

}  // namespace assay
