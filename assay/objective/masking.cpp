// Random subsets of tokens.
#include "assay/objective/masking.h"

#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "assay/noise/noise.h"

namespace assay {

RandomSubset::RandomSubset(int64_t tokens, int64_t count, int64_t block)
    : tokens_(tokens), count_(count), block_(block) {}

// Cells in the order of their uniforms; ties (23-bit uniforms have some) go to the lower index.
std::vector<bool> RandomSubset::chosen(Seed stream, int64_t id, int64_t replica) const {
  const auto grid = static_cast<int64_t>(std::lround(std::sqrt(static_cast<double>(tokens_))));
  const int64_t cells_per_side = grid / block_;
  const int64_t cells = block_ == 1 ? tokens_ : cells_per_side * cells_per_side;
  std::vector<float> values(static_cast<size_t>(cells));
  uniforms(stream, id, replica, values);
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto wanted = (count_ + block_ * block_ - 1) / (block_ * block_);
  std::partial_sort(order.begin(), order.begin() + wanted, order.end(), [&](size_t a, size_t b) {
    return values[a] != values[b] ? values[a] < values[b] : a < b;
  });
  std::vector<bool> out(static_cast<size_t>(tokens_), false);
  int64_t left = count_;
  for (int64_t c = 0; c < wanted; ++c) {
    const auto cell = static_cast<int64_t>(order[static_cast<size_t>(c)]);
    for (int64_t i = 0; i < block_ * block_ && left > 0; ++i, --left) {
      const int64_t row = cell / cells_per_side * block_ + i / block_;
      const int64_t column = cell % cells_per_side * block_ + i % block_;
      out[static_cast<size_t>(block_ == 1 ? cell : row * grid + column)] = true;
    }
  }
  return out;
}

void set_masked(NoiseField& field, const RowKeys& rows, int64_t tokens, int64_t count,
                const std::function<std::vector<bool>(int64_t, int64_t)>& chosen,
                const at::TensorOptions& options) {
  const Tensor visible = at::empty({rows.size(), tokens - count}, at::kLong);
  const Tensor masked = at::empty({rows.size(), count}, at::kLong);
  auto* to_visible = visible.data_ptr<int64_t>();
  auto* to_masked = masked.data_ptr<int64_t>();
  for (size_t b = 0; b < rows.ids.size(); ++b) {
    const std::vector<bool> is_masked = chosen(rows.ids[b], rows.replicas[b]);
    for (int64_t t = 0; t < tokens; ++t)
      *(is_masked[static_cast<size_t>(t)] ? to_masked++ : to_visible++) = t;
  }
  field.visible = visible.to(options.device());
  field.masked = masked.to(options.device());
}

int64_t masked_tokens(const Options& options, const std::string& name, int64_t tokens) {
  const double share = options.real(name);
  const int64_t masked = std::lround(share * static_cast<double>(tokens));
  if (masked == 0 || masked == tokens)
    throw options.error(name, "config.range",
                        fmt::format("`{}` {} masks {} of {} tokens", name, share, masked, tokens),
                        "at least one token must be masked and one visible");
  return masked;
}

}  // namespace assay
