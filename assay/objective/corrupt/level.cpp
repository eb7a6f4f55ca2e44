// corrupt level: one finite noise level for all tokens of an example, as in diffusion and flow
// matching.
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Level : public Corrupt {
 public:
  Level(std::shared_ptr<LevelLaw> law, int64_t bins) : law_(std::move(law)), bins_(bins) {}

  bool has_levels() const override { return true; }
  int64_t level_bins() const override { return bins_; }

  // Bins have equal probability by construction: u is cut into equal parts and the law's quantile
  // is increasing, so that uniformly mixed bins are the law itself.
  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    NoiseField field;
    std::vector<double> u = uniform_per_row(draw.level.child("level"), rows);
    const auto bins = static_cast<double>(bins_);
    for (double& value : u) {
      if (draw.level_bin) value = (*draw.level_bin + value) / bins;
      field.level_bin.push_back(
          draw.level_bin.value_or(static_cast<int>(std::min(value * bins, bins - 1))));
    }
    field.level = law_->quantile(at::tensor(u, at::kDouble)).to(options);
    field.sigma = field.level.view({-1, 1, 1});
    field.alpha = 1 - field.sigma;
    return field;
  }

 private:
  std::shared_ptr<LevelLaw> law_;
  int64_t bins_;
};

}  // namespace

PartEntry<Corrupt> corrupt_level() {
  PartEntry<Corrupt> entry;
  entry.info = {"corrupt",
                "level",
                "white noise of one level per example, mixed in along a straight line",
                "z = (1 - s)·x + s·ε,  s = noise share ~ law,  ε ~ N(0, 1)",
                "Lipman et al. 2023, arXiv 2210.02747 (s = 1 - t of JiT, arXiv 2511.13720)",
                {declare::any("law", "law of the noise share s: a part of slot `law`")}};
  entry.modality = Modality::image;
  entry.nested = {{"law", "law", kind_node("logit-normal")}};
  entry.make = [](const Options& options, const Setting& setting) {
    const std::string where = options.where() + ".law";
    return std::make_shared<Level>(make_part<LevelLaw>(options.node("law"), setting, where),
                                   setting.level_bins);
  };
  return entry;
}

}  // namespace assay
