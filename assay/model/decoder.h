// A light transformer that reconstructs positions which the trunk never saw.
#pragma once

#include "assay/model/block.h"

namespace assay {

struct DecoderConfig {
  int64_t width = 64, depth = 1, heads = 4;
};

/// Decoder of MAE (He et al. 2022, "Masked autoencoders are scalable vision learners", section 3):
/// trunk features are projected to the decoder's width, dropped positions are filled with one
/// learned mask token, positions are added, and a narrow transformer runs over all positions.
class Decoder : public nn::Module {
 public:
  /// tokens: T of the full sequence. grid: positions on a square of patches, else on a line.
  Decoder(const DecoderConfig& config, int64_t trunk_width, int64_t outputs, int64_t tokens,
          bool grid, Seed init);

  /// features [B, K, D] at positions `kept` [B, K], mask tokens at `masked` [B, M], K + M = T.
  /// Outputs [B, n, outputs] for rows first … first + n - 1 of the order "kept, then masked":
  /// attention does not care for order, so nothing is sorted back.
  Tensor forward(const Tensor& features, const Tensor& kept, const Tensor& masked, int64_t first,
                 int64_t n) const;
  /// [B, D] to [B, T, outputs]: every position starts from the mask token plus the projected code.
  Tensor generate(const Tensor& code) const;
  /// Forward FLOPs of one example; `projected` rows enter.
  double flops(int64_t projected, int64_t outputs) const;

 private:
  int64_t tokens_;
  Tensor mask_token_, positions_;  // [1, 1, d], [T, d]
  std::shared_ptr<Linear> input_, output_;
  std::vector<std::shared_ptr<Block>> layers_;
  std::shared_ptr<LayerNorm> norm_;
};

/// Standard deviation of an output layer's weights times √width: first predictions are near zero,
/// and the gradient still reaches the trunk.
inline constexpr double kOutputScale = 0.2;
double output_gain(int64_t width, int64_t outputs);

}  // namespace assay
