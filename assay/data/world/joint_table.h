// The exact joint distribution of the World's factors, and every entropy that follows from it.
#pragma once

#include <span>
#include <vector>

namespace assay::world {

/// A product of small explicit tables over disjoint sets of factors. All entropies are exact sums,
/// in bits, under the table itself.
class JointTable {
 public:
  struct Block {
    std::vector<int> factors;         // indices into the factors
    std::vector<double> probability;  // row-major over the block's factors, the last one fastest
  };

  /// Every factor stands in exactly one block. Throws Error config.joint_table if not, if a block
  /// has the wrong size, or if its probabilities are negative or do not sum to 1 within 1e-9.
  JointTable(std::vector<int> cardinalities, std::vector<Block> blocks);

  int factors() const { return static_cast<int>(cardinalities_.size()); }
  int cardinality(int factor) const { return cardinalities_[static_cast<size_t>(factor)]; }
  const std::vector<Block>& blocks() const { return blocks_; }

  /// values [factors()], one for every factor.
  double probability(std::span<const int> values) const;
  /// P(the factors of `subset` have their entries of `values`), the others summed out.
  double probability(std::span<const int> values, std::span<const int> subset) const;
  /// P(factor = value). [cardinality]
  std::vector<double> marginal(int factor) const;

  double entropy() const;                             // H(all factors)
  double entropy(std::span<const int> subset) const;  // H of these factors together
  double entropy(int factor) const;                   // H(factor)
  double mutual_information(int first, int second) const;
  /// I(factor; all the others): what can be inferred about a factor that is withheld.
  double inferable_bits(int factor) const;

  /// One draw by inversion. uniforms [blocks().size()] in (0, 1); values [factors()].
  void sample(std::span<const float> uniforms, std::span<int> values) const;

 private:
  double block_entropy(size_t block, std::span<const int> subset) const;
  std::vector<int> decode(size_t block, size_t cell) const;

  std::vector<int> cardinalities_;
  std::vector<Block> blocks_;
  std::vector<std::vector<double>> cumulative_;  // per block
};

/// A table of two factors with uniform marginals: (1 − coupling) / (A·B) + coupling · K, where K is
/// uniform on the cells with ⌊a·M/A⌋ = ⌊b·M/B⌋, M = min(A, B). coupling in [0, 1); 0 = independent.
/// max(A, B) must be a multiple of M, or the marginals would not be uniform (Error
/// config.joint_table).
JointTable::Block coupled_pair(int first, int first_cardinality, int second, int second_cardinality,
                               double coupling);

/// A factor on its own, uniform.
JointTable::Block uniform_single(int factor, int cardinality);

}  // namespace assay::world
