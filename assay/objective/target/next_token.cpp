// target next_token: the byte that follows each token.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class NextToken : public Target {
 public:
  TargetInfo info() const override {
    TargetInfo info{256, Tokens::all, "class"};
    info.classes = {256};
    info.follows = true;
    return info;
  }
  Tensor values(const View& view) override {
    return view.batch.bytes.narrow(1, 1, view.batch.bytes.size(1) - 1);
  }
};

}  // namespace

PartEntry<Target> target_next_token() {
  PartEntry<Target> entry;
  entry.info = {"target",
                "next_token",
                "the next byte, one of 256",
                "y_t = x_{t+1}",
                "Radford et al. 2019 (GPT-2); karpathy/nanoGPT model.py",
                {}};
  entry.modality = Modality::text;
  entry.make = [](const Options&, const Setting&) { return std::make_shared<NextToken>(); };
  return entry;
}

}  // namespace assay
