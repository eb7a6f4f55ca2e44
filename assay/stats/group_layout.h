// Groups of the flat gradient cut into disjoint segments, so that nested groups cost one pass.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "assay/stats/gradient_source.h"

namespace assay {

/// Groups may nest or overlap. Every quantity that adds over coordinates (squared norms, dots, Gram
/// matrices) is computed per segment, then folded into groups.
class GroupLayout {
 public:
  /// Segments cover [0, size), also where no group lies. Throws Error stats.group if a group leaves
  /// it.
  GroupLayout(std::vector<Group> groups, int64_t size);

  const std::vector<Group>& groups() const { return groups_; }
  int64_t size() const { return cuts_.back(); }  // P
  int64_t segments() const { return static_cast<int64_t>(cuts_.size()) - 1; }
  int64_t begin(int64_t segment) const { return cuts_[static_cast<size_t>(segment)]; }
  int64_t end(int64_t segment) const { return cuts_[static_cast<size_t>(segment) + 1]; }
  /// Segments [first, last) make up the group.
  int64_t first_segment(int64_t group) const { return first_[static_cast<size_t>(group)]; }
  int64_t last_segment(int64_t group) const { return last_[static_cast<size_t>(group)]; }

  /// by_segment [segments × width] to by_group [groups × width], row-major: sums of rows.
  void fold(std::span<const double> by_segment, std::span<double> by_group,
            int64_t width = 1) const;

 private:
  std::vector<Group> groups_;
  std::vector<int64_t> cuts_, first_, last_;
};

}  // namespace assay
