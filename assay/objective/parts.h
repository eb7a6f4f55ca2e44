// The slots of a term and what a part in each of them must provide.
#pragma once

#include "assay/core/draw.h"
#include "assay/model/trunk.h"
#include "assay/objective/noise_field.h"
#include "assay/objective/objective.h"

namespace assay {

/// What a prediction must look like.
struct TargetInfo {
  int64_t outputs = 0;          // numbers per token that the predictor gives
  Tokens tokens = Tokens::all;  // which tokens carry loss
  // "x" = the clean input; "next" = what follows a token, so the input must be causal
  std::string parametrisation;
};

/// What every part may know when it is built.
struct Setting {
  ModelConfig model;
  DataShape data;
  TokenShape tokens;
  int64_t level_bins = 8,
          bands = 4;  // of the loss map: a diagnostic, training does not depend on them
  // Of the term, for predictors and metrics, which are built after target and corruption.
  TargetInfo target;
  bool drops = false;  // the trunk does not see masked tokens
};

/// Batch to views of it: one, or several augmented ones.
class Views {
 public:
  static constexpr const char* kSlot = "views";
  virtual ~Views() = default;
  virtual int64_t count() const = 0;
  virtual std::vector<Batch> views(const Batch& batch, const Draw& draw) const = 0;
};

/// Draws the noise field of a view.
class Corrupt {
 public:
  static constexpr const char* kSlot = "corrupt";
  virtual ~Corrupt() = default;
  /// Reads draw.level and draw.pattern by row; tensors in `options` (positions: int64, same
  /// device).
  virtual NoiseField field(const RowKeys& rows, const Draw& draw,
                           const at::TensorOptions& options) const = 0;
  virtual int64_t masked() const { return 0; }  // tokens per example with σ = ∞
  virtual bool drops() const { return false; }
  virtual bool causal() const { return false; }
  virtual bool has_levels() const { return false; }  // the field carries a finite noise level
  virtual int64_t level_bins() const { return 1; }
};

/// A law of noise shares: the quantile function makes levels from uniforms, so a bin can be drawn
/// inside.
class LevelLaw {
 public:
  static constexpr const char* kSlot = "law";
  virtual ~LevelLaw() = default;
  /// Increasing map of (0, 1) to noise shares in [0, 1]. float64 [B].
  virtual Tensor quantile(const Tensor& uniform) const = 0;
};

class Target {
 public:
  static constexpr const char* kSlot = "target";
  virtual ~Target() = default;
  virtual TargetInfo info() const = 0;
  /// For the tokens of info(): [B, n, …]. clean: [B, T, P] patches or [B, T] bytes of the view.
  virtual Tensor values(const Batch& view, const Tensor& clean, const NoiseField& field) const = 0;
};

/// Trunk features to predictions. The only slot with parameters so far; they form the head.
class Predict : public nn::Module {
 public:
  static constexpr const char* kSlot = "predict";
  /// encoded: [B, V or T, D]; result [B, n, outputs] for `which` tokens, in the order of
  /// field.positions(which).
  virtual Tensor predict(const Tensor& encoded, const NoiseField& field, Tokens which) = 0;
  /// Forward FLOPs of one example: trunk tokens in, tokens predicted out.
  virtual double flops(int64_t encoded, int64_t predicted) const = 0;
};

/// A loss split by band. Both [B, K].
struct BandLoss {
  Tensor loss, targets;
};

class Metric {
 public:
  static constexpr const char* kSlot = "metric";
  virtual ~Metric() = default;
  virtual std::string unit() const = 0;
  virtual std::vector<std::string> bands() const {
    return {};
  }  // lowest first; empty = not resolved
  virtual double targets_per_token() const = 0;
  virtual BandLoss loss(const Tensor& prediction, const Tensor& target,
                        const NoiseField& field) const = 0;
};

class Weight {
 public:
  static constexpr const char* kSlot = "weight";
  virtual ~Weight() = default;
  /// In training, by cell of the term. [C of the term]
  virtual std::vector<double> weights(const std::vector<Cell>& cells, double progress) const = 0;
};

}  // namespace assay
