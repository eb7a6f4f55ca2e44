// What the gradient estimators see of an objective. No tensors: a LibTorch objective, an analytic
// world in a test and somebody's PyTorch loss are all gradient sources.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "assay/core/draw.h"

namespace assay {

/// A range [begin, end) of the flat gradient. Groups may nest ("trunk" holds "layer.0", …).
struct Group {
  std::string name;
  int64_t begin = 0, end = 0;
};

class GradientSource {
 public:
  virtual ~GradientSource() = default;

  virtual int64_t size() const = 0;  // P
  virtual std::vector<Group> groups() const = 0;

  /// Mean over `examples` of the gradient of the weighted training loss, into out [P].
  /// An id may occur twice: its second occurrence is replica 1, with noise of its own.
  virtual void gradient(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) = 0;

  /// Additive shares of the loss whose gradients can be had from one pass (frequency bands).
  virtual std::vector<std::string> parts() const { return {}; }
  /// out [parts × P], row-major: the gradient of each part; rows sum to gradient().
  virtual void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                                std::span<float> out) {
    gradient(examples, draw, out);
  }

  virtual int level_bins() const { return 1; }  // homogeneous microbatches through Draw::level_bin
  virtual double flops_per_example() const { return 0; }  // of one gradient
};

}  // namespace assay
