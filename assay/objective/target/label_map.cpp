// Maps of labels to fewer classes.
#include "assay/objective/target/label_map.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "assay/noise/noise.h"

namespace assay {

namespace {

// Groups of `size` labels in turn; what is left over is the last group.
std::vector<int64_t> grouped(int64_t n, int64_t size) {
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i) classes.push_back(i / size);
  return classes;
}

// One group of `large` labels, and one of the rest.
std::vector<int64_t> halved(int64_t n, int64_t large) {
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i) classes.push_back(i < large ? 0 : 1);
  return classes;
}

}  // namespace

std::vector<int64_t> all_classes(int64_t n) {
  std::vector<int64_t> classes(static_cast<size_t>(n));
  std::iota(classes.begin(), classes.end(), int64_t{0});
  return classes;
}

std::vector<int64_t> narrow_classes(int64_t n, int64_t kept) {
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i) classes.push_back(std::min(i, kept));
  return classes;
}

std::vector<int64_t> coarse_classes(int64_t n, double entropy) {
  std::vector<int64_t> best = grouped(n, n);
  const auto consider = [&](const std::vector<int64_t>& candidate) {
    if (std::abs(class_entropy(candidate) - entropy) < std::abs(class_entropy(best) - entropy))
      best = candidate;
  };
  for (int64_t size = 1; size < n; ++size) {
    consider(grouped(n, size));
    consider(halved(n, size));
  }
  std::vector<int64_t> dealt(best.size());
  for (int64_t i = 0; i < n; ++i)
    dealt[static_cast<size_t>(permuted(Seed(0).child("coarse_classes"), n, i))] =
        best[static_cast<size_t>(i)];
  return dealt;
}

double class_entropy(const std::vector<int64_t>& classes) {
  std::vector<double> counts(
      static_cast<size_t>(*std::max_element(classes.begin(), classes.end())) + 1, 0);
  for (const int64_t c : classes) counts[static_cast<size_t>(c)] += 1;
  double bits = 0;
  for (const double count : counts) {
    const double p = count / static_cast<double>(classes.size());
    if (p > 0) bits -= p * std::log2(p);
  }
  return bits;
}

}  // namespace assay
