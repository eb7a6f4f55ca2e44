// Cuts nested groups into disjoint segments.
#include "assay/stats/group_layout.h"

#include <fmt/format.h>

#include <algorithm>

#include "assay/core/error.h"

namespace assay {

GroupLayout::GroupLayout(std::vector<Group> groups, int64_t size) : groups_(std::move(groups)) {
  cuts_ = {0, size};
  for (const Group& group : groups_) {
    if (group.begin < 0 || group.begin > group.end || group.end > size) {
      throw Error("stats.group",
                  fmt::format("group {} is [{}, {}), outside a gradient of {} numbers", group.name,
                              group.begin, group.end, size));
    }
    cuts_.push_back(group.begin);
    cuts_.push_back(group.end);
  }
  std::sort(cuts_.begin(), cuts_.end());
  cuts_.erase(std::unique(cuts_.begin(), cuts_.end()), cuts_.end());
  const auto index_of = [&](int64_t cut) {
    return static_cast<int64_t>(std::lower_bound(cuts_.begin(), cuts_.end(), cut) - cuts_.begin());
  };
  for (const Group& group : groups_) {
    first_.push_back(index_of(group.begin));
    last_.push_back(index_of(group.end));
  }
}

void GroupLayout::fold(std::span<const double> by_segment, std::span<double> by_group,
                       int64_t width) const {
  const size_t columns = static_cast<size_t>(width);
  if (by_segment.size() != static_cast<size_t>(segments()) * columns ||
      by_group.size() != groups_.size() * columns) {
    throw Error("stats.size", "values by segment or by group do not fit the layout");
  }
  for (size_t group = 0; group < groups_.size(); ++group) {
    double* out = by_group.data() + group * columns;
    std::fill_n(out, columns, 0.0);
    for (int64_t segment = first_[group]; segment < last_[group]; ++segment) {
      const double* in = by_segment.data() + static_cast<size_t>(segment) * columns;
      for (size_t i = 0; i < columns; ++i) out[i] += in[i];
    }
  }
}

}  // namespace assay
