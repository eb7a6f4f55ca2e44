// corrupt level: one finite noise level for all tokens of an example, as in diffusion and flow
// matching; a share of tokens may be masked as well.
#include <fmt/format.h>

#include <cmath>

#include "assay/objective/levels.h"
#include "assay/objective/masking.h"

namespace assay {

namespace {

class Level : public Corrupt {
 public:
  Level(std::shared_ptr<LevelLaw> law, Path path, int64_t bins, RandomSubset dropped,
        int64_t tokens)
      : law_(std::move(law)), path_(path), bins_(bins), dropped_(dropped), tokens_(tokens) {}

  bool has_levels() const override { return true; }
  bool has_bound() const override { return law_->bound(at::full({1}, 0.5, at::kDouble)).defined(); }
  int64_t level_bins() const override { return bins_; }
  int64_t masked() const override { return dropped_.count(); }
  bool drops() const override { return masked() > 0; }

  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    NoiseField field;
    const Tensor u = level_uniforms(rows, draw, bins_, field.level_bin);
    field.level = law_->quantile(u).to(options);
    field.path = path_;
    std::tie(field.alpha, field.sigma) = mixing(field.level.view({-1, 1, 1}), path_);
    if (const Tensor bound = law_->bound(u); bound.defined()) field.bound = bound.to(options);
    if (!drops()) return field;
    const Seed stream = draw.pattern.child("mask");
    set_masked(
        field, rows, tokens_, masked(),
        [&](int64_t id, int64_t replica) { return dropped_.chosen(stream, id, replica); }, options);
    field.drop = true;
    return field;
  }

 private:
  std::shared_ptr<LevelLaw> law_;
  Path path_;
  int64_t bins_;
  RandomSubset dropped_;
  int64_t tokens_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const int64_t tokens = setting.tokens.tokens;
  const int64_t dropped =
      options.real("drop_ratio") == 0 ? 0 : masked_tokens(options, "drop_ratio", tokens);
  return std::make_shared<Level>(
      make_part<LevelLaw>(options.node("law"), setting, options.where() + ".law"), path_of(options),
      setting.level_bins, RandomSubset(tokens, dropped), tokens);
}

}  // namespace

PartEntry<Corrupt> corrupt_level() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {
      "corrupt",
      "level",
      "white noise of one level per example; a share of tokens may be dropped besides",
      "z = α·x + σ·ε,  s = σ/(α + σ) ~ law,  ε ~ N(0, 1);  linear: α = 1 - s, σ = s;  "
      "variance_preserving: α² + σ² = 1",
      "Lipman et al. 2023, arXiv 2210.02747 (linear, s = 1 - t of JiT, arXiv 2511.13720); Ho et "
      "al. "
      "2020, arXiv 2006.11239",
      {any("law", "law of the noise share s: a part of slot `law`"), path_option(),
       real("drop_ratio", 0.0, {0, 1, false, true}, "share of tokens that leave the sequence")}};
  entry.modality = Modality::image;
  entry.nested = {{"law", "law", kind_node("logit-normal")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
