// The slots of a term and what a part in each of them must provide.
#pragma once

#include "assay/core/draw.h"
#include "assay/model/trunk.h"
#include "assay/objective/comparing.h"
#include "assay/objective/noise_field.h"
#include "assay/objective/objective.h"

namespace assay {

/// What a prediction must look like.
struct TargetInfo {
  int64_t outputs = 0;          // numbers per token that the predictor gives
  Tokens tokens = Tokens::all;  // which tokens carry loss
  // Of pixels: "x", "eps" or "v" (velocity along the path); of others: a word for messages.
  std::string parametrisation;
  std::vector<int64_t> classes = {};  // of each categorical variable of a token; empty = regression
  bool pixels = false;                // outputs are a patch: spatial-frequency bands are defined
  bool follows = false;  // the target stands later in the sequence: the input must be causal
  int64_t least_views = 1;
  bool by_level = false;  // its distribution depends on the noise level
  std::string caution;    // what a reader of its predictability must know
};

/// What every part may know when it is built.
struct Setting {
  ModelConfig model;
  DataShape data;
  TokenShape tokens;
  int64_t level_bins = 8,
          bands = 4;  // of the loss map: a diagnostic, training does not depend on them
  Seed init{0};       // of the part's own parameters
  // Of the term; known to the parts that are built after views, corruption and target.
  TargetInfo target;
  int64_t global_views = 1;  // views at the size of the data
  int64_t masked = 0;        // tokens per example with σ = ∞
  bool drops = false;        // the trunk does not see masked tokens
  bool levels = false;       // the field carries a finite noise level
  int64_t levels_per_example = 1;
  bool bound = false;                            // … and NoiseField::bound
  std::shared_ptr<const BandSpectrum> spectrum;  // of a staircase over bands
  bool bottleneck = false;                       // the predictor has a Gaussian code
};

/// What a predictor returns.
struct Prediction {
  Tensor values;              // [B, n, outputs]
  Tensor mean, log_variance;  // [B, Z] of a Gaussian bottleneck; undefined = none
};

/// One view of a batch on its way through a term.
struct View {
  Batch batch;
  NoiseField field;
  Tensor clean;  // [B, T, P] patches or [B, T] bytes
  Corrupted input;
  Tensor encoded;  // [B, V or T, D] trunk features
  Prediction prediction;
};

/// Batch to views of it: one, or several augmented ones.
class Views {
 public:
  static constexpr const char* kSlot = "views";
  virtual ~Views() = default;
  /// Side of each view in pixels; 0 = that of the data. Its size is the number of views.
  virtual std::vector<int64_t> sizes() const = 0;
  /// Randomness by (draw.pattern, row) alone.
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
  virtual bool has_bound() const { return false; }
  virtual int64_t levels() const { return 1; }  // noise shares that the trunk is told
  virtual int64_t level_bins() const { return 1; }
  virtual std::shared_ptr<const BandSpectrum> spectrum() const { return nullptr; }
};

/// A law of noise shares: the quantile function makes levels from uniforms, so a bin can be drawn
/// inside.
class LevelLaw {
 public:
  static constexpr const char* kSlot = "law";
  virtual ~LevelLaw() = default;
  /// Increasing map of (0, 1) to noise shares in [0, 1]. float64 [B].
  virtual Tensor quantile(const Tensor& uniform) const = 0;
  /// NoiseField::bound at the same uniforms; undefined = the law is not a discretised bound.
  virtual Tensor bound(const Tensor& uniform) const { return static_cast<void>(uniform), Tensor(); }
};

/// Trunk features to predictions; its parameters are the head.
class Predict : public nn::Module {
 public:
  static constexpr const char* kSlot = "predict";
  struct Input {
    Tensor encoded;  // [B, V or T, D]
    const NoiseField& field;
    Tokens which;       // values come for these, in the order of field.positions(which)
    RowKeys rows = {};  // for predictors with noise of their own
    Seed noise{0};
  };
  virtual Prediction predict(const Input& input) = 0;
  /// Forward FLOPs of one example: trunk tokens in, tokens predicted out.
  virtual double flops(int64_t encoded, int64_t predicted) const = 0;
};

/// The live networks of a term, and how to make another of each for a teacher.
struct Student {
  std::shared_ptr<Trunk> trunk;
  std::shared_ptr<Predict> predict;
  std::function<std::shared_ptr<Trunk>()> new_trunk;
  std::function<std::shared_ptr<Predict>()> new_predict;
};

/// The prediction of one view and what it is compared with.
struct Comparison {
  size_t view = 0;
  Tensor target;  // [B, n, …]
};

/// Modules registered here are teachers: no parameter of theirs is trained.
class Target : public nn::Module {
 public:
  static constexpr const char* kSlot = "target";
  virtual TargetInfo info() const = 0;
  /// For the tokens of info(): [B, n, …].
  virtual Tensor values(const View& view) = 0;
  /// By default each view with its own values().
  virtual std::vector<Comparison> comparisons(const std::vector<View>& views);
  virtual int64_t comparisons(int64_t views) const { return views; }  // how many

  virtual void attach(const Student& student) { static_cast<void>(student); }
  /// Lets a teacher follow its student; `step` steps of `steps` are done.
  virtual void after_step(int64_t step, int64_t steps) {
    static_cast<void>(step), static_cast<void>(steps);
  }
  virtual bool coupled() const { return false; }
  /// Whether it is made of what the trained networks say of a view.
  virtual bool reads_predictions() const { return false; }
  /// The mean target is this times a constant; undefined = 1. [B, 1 or T, 1]
  virtual Tensor mean_scale(const NoiseField& field) const {
    return static_cast<void>(field), Tensor();
  }
  /// Forward FLOPs without gradient that teachers spend on one example. tokens: of each view.
  virtual double flops(const std::vector<int64_t>& tokens) const {
    return static_cast<void>(tokens), 0;
  }
  /// Why the minimum is a constant whatever the input, unless the term has a regulariser or a
  /// predictor of its own; empty = it is not.
  virtual std::string collapse(bool own_predictor) const {
    return static_cast<void>(own_predictor), std::string();
  }
};

/// A loss split by band. Both [B, K].
struct BandLoss {
  Tensor loss, targets;
};

class Metric : public nn::Module {
 public:
  static constexpr const char* kSlot = "metric";
  virtual std::string unit() const = 0;
  virtual std::vector<std::string> bands() const {
    return {};
  }  // lowest first; empty = not resolved
  virtual double targets_per_token() const = 0;
  /// Its best prediction without input.
  virtual NullForm null_form() const = 0;
  virtual bool coupled() const { return false; }
  /// Negatives keep a constant from being the minimum.
  virtual bool contrasts() const { return false; }
  /// Forward FLOPs for one token.
  virtual double flops_per_token() const { return 0; }
  /// token_weight: [B, n] factor of each token's loss; undefined = 1.
  virtual BandLoss loss(const Tensor& prediction, const Tensor& target, const NoiseField& field,
                        const Tensor& token_weight) = 0;
  /// loss() under other log variances than those that it learns, where it learns any
  /// (NullForm::variances).
  virtual BandLoss loss_under(const Tensor& log_variance, const Tensor& prediction,
                              const Tensor& target, const NoiseField& field,
                              const Tensor& token_weight) {
    return static_cast<void>(log_variance), loss(prediction, target, field, token_weight);
  }
};

/// What a loss counts in training.
class Weight : public nn::Module {
 public:
  static constexpr const char* kSlot = "weight";
  /// By cell of the term. [C of the term]
  virtual std::vector<double> weights(const std::vector<Cell>& cells, double progress) const {
    return static_cast<void>(progress), std::vector<double>(cells.size(), 1.0);
  }
  /// By token: [B, n] for the tokens `which`, or undefined.
  virtual Tensor tokens(const NoiseField& field, Tokens which) const {
    return static_cast<void>(field), static_cast<void>(which), Tensor();
  }
  /// By noise level: part of the loss itself, because levels are continuous.
  virtual BandLoss at_level(const BandLoss& loss, const NoiseField& field) {
    return static_cast<void>(field), loss;
  }
  /// The unit of the weighted loss, where the weight changes it.
  virtual std::string unit(const std::string& of_metric) const { return of_metric; }
};

/// An addition to the loss that needs no target.
class Regularise {
 public:
  static constexpr const char* kSlot = "regularise";
  virtual ~Regularise() = default;
  /// Parts reported apart; one empty name = the regulariser has but one.
  virtual std::vector<std::string> components() const { return {""}; }
  virtual std::vector<double> weights(double progress) const = 0;
  /// What the loss is divided by in training: 1, or the targets of the term that it belongs to.
  virtual double expected_targets(double of_term) const { return static_cast<void>(of_term), 1; }
  virtual std::string unit() const { return "1"; }
  virtual bool coupled() const { return true; }
  virtual bool prevents_collapse() const { return true; }
  /// [B, components]. weights_of_matrices: trunk and head, for penalties on parameters.
  virtual Tensor loss(const std::vector<View>& views, const Draw& draw,
                      const std::vector<Tensor>& matrices) const = 0;
  /// Forward FLOPs per example.
  virtual double flops(int64_t views) const { return static_cast<void>(views), 0; }
};

/// What a regulariser acts on: [V][B, d].
enum class Tap { prediction, features };
std::vector<Tensor> tapped(const std::vector<View>& views, Tap tap);

}  // namespace assay
