// corrupt mask: a fixed share of tokens, drawn uniformly, has σ = ∞.
#include <fmt/format.h>

#include <cmath>

#include "assay/objective/masking.h"

namespace assay {

namespace {

class Mask : public Corrupt {
 public:
  Mask(int64_t tokens, RandomSubset subset, bool drop)
      : tokens_(tokens), subset_(subset), drop_(drop) {}

  int64_t masked() const override { return subset_.count(); }
  bool drops() const override { return drop_; }

  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    NoiseField field;
    const Seed stream = draw.pattern.child("mask");
    set_masked(
        field, rows, tokens_, subset_.count(),
        [&](int64_t id, int64_t replica) { return subset_.chosen(stream, id, replica); }, options);
    field.drop = drop_;
    return field;
  }

 private:
  int64_t tokens_;
  RandomSubset subset_;
  bool drop_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const int64_t tokens = setting.tokens.tokens, block = options.integer("block");
  const auto grid = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens))));
  if (block > 1 && (setting.data.modality != Modality::image || grid % block != 0))
    throw options.error(
        "block", "config.range",
        fmt::format("`block` {} does not divide a grid of {} × {} tokens", block, grid, grid),
        "set block = 1 for text, or a divisor of the image's side in patches");
  return std::make_shared<Mask>(
      tokens, RandomSubset(tokens, masked_tokens(options, "ratio", tokens), block),
      options.flag("drop"));
}

}  // namespace

PartEntry<Corrupt> corrupt_mask() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {
      "corrupt",
      "mask",
      "round(ratio · T) tokens per example, drawn uniformly without replacement, have σ = ∞",
      "σ(i) = ∞ where rank(u_cell(i)) < ratio · cells, else 0;  u uniform, keyed",
      "He et al. 2022, arXiv 2111.06377; facebookresearch/mae models_mae.py random_masking; cells: "
      "facebookresearch/pixio mask_grid",
      {real("ratio", 0.75, open(0, 1), "share of tokens that are masked"),
       integer("block", 1, closed(1, 64),
               "side of the square cells that are masked as one, in tokens"),
       boolean(
           "drop", true,
           "masked tokens leave the sequence; otherwise one learned token stands in for them")}};
  entry.make = make;
  return entry;
}

}  // namespace assay
