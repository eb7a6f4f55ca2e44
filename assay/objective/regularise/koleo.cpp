// regularise koleo: no two examples of a batch lie close to each other.
#include <limits>

#include "assay/objective/regularise/tap_option.h"

namespace assay {

namespace {

constexpr double kEpsilon = 1e-8;  // in the norm and in the logarithm, as dinov2

class Koleo : public Regularise {
 public:
  Koleo(double weight, Tap tap) : weight_(weight), tap_(tap) {}

  std::vector<double> weights(double) const override { return {weight_}; }
  Tensor loss(const std::vector<View>& views, const Draw&,
              const std::vector<Tensor>&) const override {
    Tensor sum;
    for (const Tensor& z : tapped(views, tap_)) {
      const Tensor x = z / z.norm(2, 1, true).clamp_min(kEpsilon);
      const Tensor itself = at::eye(x.size(0), x.options().dtype(at::kBool));
      const Tensor nearest = x.detach().matmul(x.detach().t()).masked_fill(itself, -1).argmax(1);
      const Tensor distance = (x - x.index_select(0, nearest) + kEpsilon).norm(2, 1, true);
      const Tensor own = -(distance + kEpsilon).log();
      sum = sum.defined() ? sum + own : own;
    }
    return sum / static_cast<double>(views.size());
  }

 private:
  double weight_;
  Tap tap_;
};

}  // namespace

PartEntry<Regularise> regularise_koleo() {
  using namespace declare;
  PartEntry<Regularise> entry;
  entry.info = {
      "regularise",
      "koleo",
      "negative logarithm of the distance to the nearest example of the batch, on the sphere",
      "weight·(-log(|x_i - x_nn(i)| + 1e-8)),  x = z/|z|, mean over views",
      "Sablayrolles et al. 2019, arXiv 1806.03198; facebookresearch/dinov2 koleo_loss.py",
      {real("weight", 0.1, at_least(0), "weight"), tap_option()}};
  entry.make = [](const Options& options, const Setting&) {
    return std::make_shared<Koleo>(options.real("weight"), tap_of(options));
  };
  return entry;
}

}  // namespace assay
