// corrupt mask: a fixed share of tokens, drawn uniformly, has σ = ∞.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "assay/noise/noise.h"
#include "assay/objective/registry.h"

namespace assay {

namespace {

class Mask : public Corrupt {
 public:
  Mask(int64_t tokens, int64_t masked, bool drop) : tokens_(tokens), masked_(masked), drop_(drop) {}

  int64_t masked() const override { return masked_; }
  bool drops() const override { return drop_; }

  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    const Tensor visible = at::empty({rows.size(), tokens_ - masked_}, at::kLong);
    const Tensor masked = at::empty({rows.size(), masked_}, at::kLong);
    auto* to_visible = visible.data_ptr<int64_t>();
    auto* to_masked = masked.data_ptr<int64_t>();
    const Seed stream = draw.pattern.child("mask");
    for (size_t b = 0; b < rows.ids.size(); ++b) {
      const std::vector<bool> is_masked = ranked(stream, rows.ids[b], rows.replicas[b]);
      for (int64_t t = 0; t < tokens_; ++t)
        *(is_masked[static_cast<size_t>(t)] ? to_masked++ : to_visible++) = t;
    }
    NoiseField field;
    field.visible = visible.to(options.device());
    field.masked = masked.to(options.device());
    field.drop = drop_;
    return field;
  }

 private:
  // The tokens with the smallest uniforms; ties (23-bit uniforms have some) go to the lower index.
  std::vector<bool> ranked(Seed stream, int64_t id, int64_t replica) const {
    std::vector<float> values(static_cast<size_t>(tokens_));
    uniforms(stream, id, replica, values);
    std::vector<size_t> order(values.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::nth_element(order.begin(), order.begin() + masked_, order.end(), [&](size_t a, size_t b) {
      return values[a] != values[b] ? values[a] < values[b] : a < b;
    });
    std::vector<bool> chosen(values.size(), false);
    for (int64_t i = 0; i < masked_; ++i) chosen[order[static_cast<size_t>(i)]] = true;
    return chosen;
  }

  int64_t tokens_, masked_;
  bool drop_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const int64_t tokens = setting.tokens.tokens;
  const int64_t masked = std::lround(options.real("ratio") * static_cast<double>(tokens));
  if (masked == 0 || masked == tokens)
    throw options.error(
        "ratio", "config.range",
        fmt::format("`ratio` {} masks {} of {} tokens", options.real("ratio"), masked, tokens),
        "at least one token must be masked and one visible");
  return std::make_shared<Mask>(tokens, masked, options.flag("drop"));
}

}  // namespace

PartEntry<Corrupt> corrupt_mask() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {
      "corrupt",
      "mask",
      "round(ratio · T) tokens per example, drawn uniformly without replacement, have σ = ∞",
      "σ(i) = ∞ where rank(u_i) < ratio · T, else 0;  u_i uniform, keyed",
      "He et al. 2022, arXiv 2111.06377; facebookresearch/mae models_mae.py random_masking",
      {real("ratio", 0.75, open(0, 1), "share of tokens that are masked"),
       boolean("drop", true, "masked tokens leave the sequence; otherwise their content is zero")}};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
