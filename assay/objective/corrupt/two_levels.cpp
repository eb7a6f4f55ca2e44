// corrupt two_levels: tokens of one example lie at two noise levels, as in Self-Flow.
#include <cmath>

#include "assay/objective/levels.h"
#include "assay/objective/masking.h"

namespace assay {

namespace {

class TwoLevels : public Corrupt {
 public:
  TwoLevels(std::shared_ptr<LevelLaw> low, std::shared_ptr<LevelLaw> high, Path path, int64_t bins,
            RandomSubset noisy, int64_t tokens)
      : low_(std::move(low)),
        high_(std::move(high)),
        path_(path),
        bins_(bins),
        noisy_(noisy),
        tokens_(tokens) {}

  bool has_levels() const override { return true; }
  int64_t levels() const override { return 2; }
  int64_t level_bins() const override { return bins_; }

  // Level bins are those of the noisier tokens.
  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    NoiseField field;
    const Tensor high = high_->quantile(level_uniforms(rows, draw, bins_, field.level_bin));
    const Tensor low = low_->quantile(
        at::tensor(uniform_per_row(draw.level.child("low_level"), rows), at::kDouble));
    // The cleaner tokens are never noisier than the others: s <= t.
    field.level = at::stack({at::minimum(low, high), high}, 1).to(options);
    const Seed stream = draw.pattern.child("noisy");
    const Tensor which = at::zeros({rows.size(), tokens_}, at::kLong);
    for (size_t b = 0; b < rows.ids.size(); ++b) {
      const std::vector<bool> noisy = noisy_.chosen(stream, rows.ids[b], rows.replicas[b]);
      for (size_t t = 0; t < noisy.size(); ++t)
        which.data_ptr<int64_t>()[b * noisy.size() + t] = noisy[t] ? 1 : 0;
    }
    field.level_of_token = which.to(options.device());
    field.path = path_;
    std::tie(field.alpha, field.sigma) =
        mixing(field.level.gather(1, field.level_of_token).unsqueeze(2), path_);
    return field;
  }

 private:
  std::shared_ptr<LevelLaw> low_, high_;
  Path path_;
  int64_t bins_;
  RandomSubset noisy_;
  int64_t tokens_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const int64_t tokens = setting.tokens.tokens;
  const auto law = [&](const char* name) {
    return make_part<LevelLaw>(options.node(name), setting, options.where() + "." + name);
  };
  return std::make_shared<TwoLevels>(law("low"), law("high"), path_of(options), setting.level_bins,
                                     RandomSubset(tokens, masked_tokens(options, "ratio", tokens)),
                                     tokens);
}

}  // namespace

PartEntry<Corrupt> corrupt_two_levels() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {"corrupt",
                "two_levels",
                "a share of tokens lies at one noise level, the others at a cleaner one",
                "s(i) = t for round(ratio · T) tokens, else min(s, t);  t ~ high, s ~ low;  "
                "z_i = α(s_i)·x_i + σ(s_i)·ε_i",
                "dual-timestep noise of Self-Flow (see arXiv 2607.02508); ratio -> 1 is `level`",
                {any("low", "law of the cleaner level: a part of slot `law`"),
                 any("high", "law of the noisier level: a part of slot `law`"), path_option(),
                 real("ratio", 0.5, open(0, 1), "share of tokens at the noisier level")}};
  entry.modality = Modality::image;
  entry.nested = {{"low", "law", kind_node("uniform")}, {"high", "law", kind_node("logit-normal")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
