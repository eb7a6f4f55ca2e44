// The noise levels of a source as parts that add up to its gradient.
#pragma once

#include <string>

#include "assay/stats/gradient_source.h"

namespace assay {

/// Part k is 1/L of the gradient with every example at level bin k, the same examples and patterns
/// in all of them: bins have equal probability, so the parts add up to the whole with its level
/// averaged out. A gradient costs L of the source's. REQUIRES level_bins() > 1.
class LevelParts : public GradientSource {
 public:
  explicit LevelParts(GradientSource& source) : source_(source) {
    for (int bin = 0; bin < source.level_bins(); ++bin) parts_.push_back(std::to_string(bin));
  }

  int64_t size() const override { return source_.size(); }
  std::vector<Group> groups() const override { return source_.groups(); }
  std::vector<std::string> parts() const override { return parts_; }
  double flops_per_example() const override {
    return source_.flops_per_example() * static_cast<double>(parts_.size());
  }
  void gradient(std::span<const int64_t> examples, const Draw& draw,
                std::span<float> out) override {
    source_.gradient(examples, draw, out);
  }
  void gradient_by_part(std::span<const int64_t> examples, const Draw& draw,
                        std::span<float> out) override {
    const auto size = static_cast<size_t>(source_.size());
    const float share = 1.0f / static_cast<float>(parts_.size());
    for (size_t bin = 0; bin < parts_.size(); ++bin) {
      const std::span<float> part = out.subspan(bin * size, size);
      Draw at_level = draw;
      at_level.level_bin = static_cast<int>(bin);
      source_.gradient(examples, at_level, part);
      for (float& value : part) value *= share;
    }
  }

 private:
  GradientSource& source_;
  std::vector<std::string> parts_;
};

}  // namespace assay
