// Sums of squares between the draws of one unit.
#include "assay/stats/within_unit.h"

#include <algorithm>

#include "assay/stats/kernels.h"

namespace assay {

WithinUnit::WithinUnit(const GroupLayout& layout, const std::vector<DiagonalMetric>& metrics,
                       int64_t parts, int64_t draws)
    : layout_(layout),
      metrics_(metrics),
      size_(static_cast<size_t>(layout.size())),
      parts_(static_cast<size_t>(parts)),
      draws_(draws),
      sum_(draws > 2 ? std::max<size_t>(1, parts_) * size_ : 0),
      whole_(parts_ > 0 ? size_ : 0) {
  clear();
}

void WithinUnit::clear() {
  std::fill(sum_.begin(), sum_.end(), 0.0f);
  squares_.assign(views() * metrics_.size(), std::vector<double>(layout_.groups().size(), 0.0));
}

void WithinUnit::add(std::span<float> current, std::span<const float> first) {
  for (size_t i = 0; i < current.size(); ++i) current[i] -= first[i];
  for (size_t i = 0; i < sum_.size(); ++i) sum_[i] += current[i];
  add_views(current, 1);
}

void WithinUnit::finish(std::span<const float> last, std::span<float> first) {
  if (draws_ < 2) return;
  const std::span<const float> sum = sum_.empty() ? last : std::span<const float>(sum_);
  const float inverse = 1.0f / static_cast<float>(draws_);
  for (size_t i = 0; i < sum.size(); ++i) first[i] += sum[i] * inverse;
  if (sum_.empty())  // Σ e_j = e_2, whose squares are known
    for (std::vector<double>& by_group : squares_)
      for (double& squares : by_group) squares /= 2;
  else
    add_views(sum, -1 / static_cast<double>(draws_));
}

void WithinUnit::add_views(std::span<const float> values, double factor) {
  if (parts_ == 0) return add_squares(0, values, factor);
  std::fill(whole_.begin(), whole_.end(), 0.0f);
  for (size_t part = 0; part < parts_; ++part) {
    const std::span<const float> of_part = values.subspan(part * size_, size_);
    for (size_t i = 0; i < size_; ++i) whole_[i] += of_part[i];
    add_squares(part + 1, of_part, factor);
  }
  add_squares(0, whole_, factor);
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
