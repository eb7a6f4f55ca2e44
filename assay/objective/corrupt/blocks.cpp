// corrupt blocks: rectangles of tokens have σ = ∞, as in I-JEPA and BEiT.
#include <fmt/format.h>

#include <cmath>

#include "assay/noise/noise.h"
#include "assay/objective/masking.h"

namespace assay {

namespace {

struct BlockLaw {
  double smallest, largest;  // share of the grid's area that a block covers
  double aspect;             // height over width in [1/aspect, aspect], log-uniform
};

// I-JEPA lets the number of masked tokens vary and cuts every batch to its smallest; a row would
// then depend on its neighbours. Here blocks are added until `count` tokens are masked, and the
// last block is cut in raster order, so that every row masks the same number.
class Blocks : public Corrupt {
 public:
  Blocks(int64_t grid, int64_t count, BlockLaw law, bool drop)
      : grid_(grid), count_(count), law_(law), drop_(drop) {}

  int64_t masked() const override { return count_; }
  bool drops() const override { return drop_; }

  NoiseField field(const RowKeys& rows, const Draw& draw,
                   const at::TensorOptions& options) const override {
    NoiseField field;
    const Seed stream = draw.pattern.child("blocks");
    set_masked(
        field, rows, grid_ * grid_, count_,
        [&](int64_t id, int64_t replica) { return chosen(stream, id, replica); }, options);
    field.drop = drop_;
    return field;
  }

 private:
  std::vector<bool> chosen(Seed stream, int64_t id, int64_t replica) const {
    std::vector<bool> out(static_cast<size_t>(grid_ * grid_), false);
    int64_t left = count_;
    for (uint64_t block = 0; left > 0; ++block) {
      std::vector<float> u(4);
      uniforms(stream.child(block), id, replica, u);
      const double area = (law_.smallest + (law_.largest - law_.smallest) * u[0]) *
                          static_cast<double>(grid_ * grid_);
      const double aspect = std::pow(law_.aspect, 2 * u[1] - 1);
      const int64_t height = side(std::sqrt(area * aspect)), width = side(std::sqrt(area / aspect));
      const int64_t top = start(u[2], height), at_left = start(u[3], width);
      for (int64_t i = 0; i < height * width && left > 0; ++i) {
        const auto token = static_cast<size_t>((top + i / width) * grid_ + at_left + i % width);
        if (!out[token]) --left;
        out[token] = true;
      }
    }
    return out;
  }
  int64_t side(double length) const { return std::clamp<int64_t>(std::lround(length), 1, grid_); }
  int64_t start(float u, int64_t length) const {
    return static_cast<int64_t>(u * static_cast<float>(grid_ - length + 1));
  }

  int64_t grid_, count_;
  BlockLaw law_;
  bool drop_;
};

std::shared_ptr<Corrupt> make(const Options& options, const Setting& setting) {
  const int64_t tokens = setting.tokens.tokens;
  const BlockLaw law{options.real("smallest"), options.real("largest"), options.real("aspect")};
  if (law.smallest > law.largest)
    throw options.error(
        "smallest", "config.range",
        fmt::format("`smallest` {} exceeds `largest` {}", law.smallest, law.largest),
        "both are shares of the image's area");
  return std::make_shared<Blocks>(
      static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens)))),
      masked_tokens(options, "ratio", tokens), law, options.flag("drop"));
}

}  // namespace

PartEntry<Corrupt> corrupt_blocks() {
  using namespace declare;
  PartEntry<Corrupt> entry;
  entry.info = {
      "corrupt",
      "blocks",
      "rectangles of tokens are masked until round(ratio · T) are; the last one is cut to fit",
      "σ(i) = ∞ in the union of blocks, area share ~ U[smallest, largest], aspect log-uniform on "
      "[1/aspect, aspect], place uniform",
      "Assran et al. 2023, arXiv 2301.08243 (I-JEPA: 4 target blocks of .15 to .2); Bao et al. "
      "2022, "
      "arXiv 2106.08254 (BEiT)",
      {real("ratio", 0.5, open(0, 1), "share of tokens that are masked"),
       real("smallest", 0.15, open(0, 1), "least share of the image that a block covers"),
       real("largest", 0.2, open(0, 1), "largest share of the image that a block covers"),
       real("aspect", 1.5, closed(1, 8), "largest ratio of a block's sides"),
       boolean(
           "drop", true,
           "masked tokens leave the sequence; otherwise one learned token stands in for them")}};
  entry.modality = Modality::image;
  entry.make = make;
  return entry;
}

}  // namespace assay
