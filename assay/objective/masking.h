// Random subsets of tokens.
#pragma once

#include "assay/objective/registry.h"

namespace assay {

/// Exactly `count` of the tokens, uniformly among cells of block × block tokens; a cell that does
/// not fit whole is cut in raster order. Cells of side 1: He et al. 2022, random_masking; larger
/// ones: Pixio's mask_grid.
class RandomSubset {
 public:
  /// block > 1 REQUIRES a square grid of tokens whose side block divides.
  RandomSubset(int64_t tokens, int64_t count, int64_t block = 1);

  int64_t count() const { return count_; }
  /// Which tokens of one row are chosen, by (stream, id, replica). [T]
  std::vector<bool> chosen(Seed stream, int64_t id, int64_t replica) const;

 private:
  int64_t tokens_, count_, block_;
};

/// Fills field.masked and field.visible: chosen(id, replica) says which tokens of a row are masked,
/// `count` of them.
void set_masked(NoiseField& field, const RowKeys& rows, int64_t tokens, int64_t count,
                const std::function<std::vector<bool>(int64_t, int64_t)>& chosen,
                const at::TensorOptions& options);

/// round(share · T); throws Error config.range unless some token is masked and some visible.
int64_t masked_tokens(const Options& options, const std::string& name, int64_t tokens);

}  // namespace assay
