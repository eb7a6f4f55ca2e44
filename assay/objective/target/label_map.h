// Maps of labels to fewer classes.
#pragma once

#include <cstdint>
#include <vector>

namespace assay {

// Each returns the class of every label 0 … n - 1. Entropies are for equally frequent labels.

std::vector<int64_t> all_classes(int64_t n);
/// The first `kept` labels keep their own class, all others share class `kept`.
std::vector<int64_t> narrow_classes(int64_t n, int64_t kept);
/// Groups of labels, dealt by a fixed permutation so that neighbours do not lie together, whose
/// entropy is as near as possible to `entropy` (bits): g groups of equal size and one smaller.
std::vector<int64_t> coarse_classes(int64_t n, double entropy);

/// Entropy in bits of the class of a uniform label.
double class_entropy(const std::vector<int64_t>& classes);

}  // namespace assay
