// Sums of squares between the draws of one unit.
#include "assay/stats/within_unit.h"

#include <algorithm>

#include "assay/stats/kernels.h"

namespace assay {

WithinUnit::WithinUnit(const GroupLayout& layout, const std::vector<DiagonalMetric>& metrics,
                       int64_t parts)
    : layout_(layout),
      metrics_(metrics),
      size_(static_cast<size_t>(layout.size())),
      parts_(static_cast<size_t>(parts)),
      sum_(std::max<size_t>(1, parts_) * size_),
      difference_(size_),
      whole_(parts_ > 0 ? size_ : 0) {
  clear();
}

void WithinUnit::clear() {
  std::fill(sum_.begin(), sum_.end(), 0.0f);
  squares_.assign(views() * metrics_.size(), std::vector<double>(layout_.groups().size(), 0.0));
}

void WithinUnit::add(std::span<const float> current, std::span<const float> first) {
  std::fill(whole_.begin(), whole_.end(), 0.0f);
  for (size_t start = 0, view = parts_ > 0 ? 1 : 0; start < sum_.size(); start += size_, ++view) {
    for (size_t i = 0; i < size_; ++i) {
      difference_[i] = current[start + i] - first[start + i];
      sum_[start + i] += difference_[i];
    }
    for (size_t i = 0; i < whole_.size(); ++i) whole_[i] += difference_[i];
    add_squares(view, difference_, 1);
  }
  if (parts_ > 0) add_squares(0, whole_, 1);
}

void WithinUnit::finish(int64_t draws, std::span<float> first) {
  const float inverse = 1.0f / static_cast<float>(draws);
  std::fill(whole_.begin(), whole_.end(), 0.0f);
  for (size_t start = 0, view = parts_ > 0 ? 1 : 0; start < sum_.size(); start += size_, ++view) {
    const std::span<const float> sum = std::span(sum_).subspan(start, size_);
    for (size_t i = 0; i < size_; ++i) first[start + i] += sum[i] * inverse;
    for (size_t i = 0; i < whole_.size(); ++i) whole_[i] += sum[i];
    add_squares(view, sum, -1 / static_cast<double>(draws));
  }
  if (parts_ > 0) add_squares(0, whole_, -1 / static_cast<double>(draws));
}

void WithinUnit::add_squares(size_t view, std::span<const float> values, double factor) {
  std::vector<double> norms(layout_.groups().size());
  for (size_t metric = 0; metric < metrics_.size(); ++metric) {
    squared_norms(values, metrics_[metric].weight, layout_, norms);
    std::vector<double>& out = squares_[view * metrics_.size() + metric];
    for (size_t group = 0; group < norms.size(); ++group) out[group] += factor * norms[group];
  }
}

}  // namespace assay
