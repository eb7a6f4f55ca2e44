// The trunk: one pre-LN transformer that every objective trains and every probe reads.
#pragma once

#include "assay/core/options.h"
#include "assay/core/seed.h"
#include "assay/tensor/torch.h"

namespace assay {

class Block;
class LayerNorm;
class Linear;

struct ModelConfig {
  int64_t width = 128, depth = 4, heads = 4, mlp_ratio = 4;
  int64_t patch = 4;  // side of a patch in pixels; text ignores it
};
/// Declarations of [model]; `model_config` reads them. Throws Error config.*.
std::vector<Option> model_options();
ModelConfig model_config(const Options& options);

/// What the trunk reads: patches or bytes.
struct TokenShape {
  int64_t tokens = 0;   // T
  int64_t numbers = 0;  // P of a patch; 0 = bytes
};

struct TrunkInput {
  Tensor tokens;          // [B, T, P] patches, or [B, T] int64 bytes
  Tensor level;           // [B] or [B, R] noise shares in [0, 1]; undefined = clean
  Tensor level_of_token;  // [B, T] int64: which of the R shares a token has
  Tensor kept;  // [B, K] int64 positions that enter, the others are dropped; undefined = all
  Tensor masked, mask_token;  // [B, M] int64 positions whose content is mask_token [D] instead
  bool causal = false;        // token t sees tokens up to t
};

/// Parameters in this order: embedding (patch or byte, noise level), layers, norm; named
/// "embedding.…", "layers.<i>.…", "norm.…", so that each layer is one range of the flat gradient.
/// The noise-level embedding is there for every objective, so that parameter counts match. Nothing
/// depends on the batch: no batch statistics, no dropout, no global generator.
class Trunk : public nn::Module {
 public:
  /// Throws Error config.model if width does not suit heads or positions, config.patch for a T that
  /// is not a square of patches.
  Trunk(const ModelConfig& config, const TokenShape& shape, Seed init);

  /// [B, K, D] after the final norm, in the order of `kept`. A smaller square of patches than the
  /// trunk was made for is a crop at lower resolution: its positions span the same image.
  Tensor forward(const TrunkInput& input);
  /// (L + 1) × [B, K, D]: embeddings, then the residual stream after each layer, the last one after
  /// the final norm (what heads see).
  std::vector<Tensor> features(const TrunkInput& input);
  /// [B, T, D]: embedded patches or bytes alone, without positions and noise level.
  Tensor content(const Tensor& tokens) const;
  /// Forward FLOPs of one example with `tokens` positions and `levels` noise shares.
  double flops(int64_t tokens, int64_t levels = 1) const;
  /// Those of content() for one token.
  double content_flops() const;

  const ModelConfig& config() const { return config_; }
  const TokenShape& shape() const { return shape_; }
  /// dtype and device of the parameters.
  at::TensorOptions tensor_options() const;

 private:
  Tensor embed(const TrunkInput& input);
  Tensor embed_level(const TrunkInput& input) const;
  Tensor positions(const TrunkInput& input) const;

  ModelConfig config_;
  TokenShape shape_;
  Tensor positions_;                 // [T, D]
  std::shared_ptr<Linear> patches_;  // images
  Tensor bytes_;                     // [256, D], text
  std::shared_ptr<Linear> level_in_, level_out_;
  std::vector<std::shared_ptr<Block>> layers_;
  std::shared_ptr<LayerNorm> norm_;
};

/// Throws Error config.model with a remedy: width divisible by 4 and by heads.
void check_width(int64_t width, int64_t heads, const std::string& what);

/// [B, T, …] and positions [B, K] to [B, K, …]: row by row.
Tensor take_positions(const Tensor& tokens, const Tensor& positions);

}  // namespace assay
