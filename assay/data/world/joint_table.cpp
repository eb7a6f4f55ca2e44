// Exact entropies of a product of small tables, and sampling from it.
#include "assay/data/world/joint_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "assay/core/error.h"

namespace assay::world {
namespace {

double entropy_of(const std::map<std::vector<int>, double>& distribution) {
  double bits = 0;
  for (const auto& [values, p] : distribution)
    if (p > 0) bits -= p * std::log2(p);
  return bits;
}

bool holds(std::span<const int> set, int value) {
  return std::find(set.begin(), set.end(), value) != set.end();
}

}  // namespace

JointTable::JointTable(std::vector<int> cardinalities, std::vector<Block> blocks)
    : cardinalities_(std::move(cardinalities)), blocks_(std::move(blocks)) {
  std::vector<int> seen(cardinalities_.size(), 0);
  for (const Block& block : blocks_) {
    size_t cells = 1;
    for (const int factor : block.factors) {
      ++seen.at(static_cast<size_t>(factor));
      cells *= static_cast<size_t>(cardinality(factor));
    }
    const double sum = std::accumulate(block.probability.begin(), block.probability.end(), 0.0);
    const bool negative = std::any_of(block.probability.begin(), block.probability.end(),
                                      [](double p) { return !(p >= 0); });
    if (block.probability.size() != cells || negative || std::abs(sum - 1) > 1e-9)
      throw Error(
          "config.joint_table",
          fmt::format("a table of {} cells must hold {} probabilities that sum to 1, got {} "
                      "with sum {}",
                      cells, cells, block.probability.size(), sum));
    std::vector<double> cumulative(cells);
    std::partial_sum(block.probability.begin(), block.probability.end(), cumulative.begin());
    cumulative.back() = 2;  // above every uniform, whatever rounding left of the sum
    cumulative_.push_back(std::move(cumulative));
  }
  if (std::any_of(seen.begin(), seen.end(), [](int count) { return count != 1; }))
    throw Error("config.joint_table", "every factor must stand in exactly one table");
}

std::vector<int> JointTable::decode(size_t block, size_t cell) const {
  const std::vector<int>& factors = blocks_[block].factors;
  std::vector<int> values(factors.size());
  for (size_t i = factors.size(); i-- > 0;) {
    const auto size = static_cast<size_t>(cardinality(factors[i]));
    values[i] = static_cast<int>(cell % size);
    cell /= size;
  }
  return values;
}

double JointTable::probability(std::span<const int> values) const {
  double p = 1;
  for (const Block& block : blocks_) {
    size_t cell = 0;
    for (const int factor : block.factors)
      cell = cell * static_cast<size_t>(cardinality(factor)) +
             static_cast<size_t>(values[static_cast<size_t>(factor)]);
    p *= block.probability[cell];
  }
  return p;
}

double JointTable::probability(std::span<const int> values, std::span<const int> subset) const {
  double p = 1;
  for (const Block& block : blocks_) {
    double sum = 0;
    for (size_t cell = 0; cell < block.probability.size(); ++cell) {
      size_t rest = cell;
      bool matches = true;
      for (size_t i = block.factors.size(); i-- > 0;) {
        const auto size = static_cast<size_t>(cardinality(block.factors[i]));
        const int value = values[static_cast<size_t>(block.factors[i])];
        matches &= !holds(subset, block.factors[i]) || static_cast<int>(rest % size) == value;
        rest /= size;
      }
      if (matches) sum += block.probability[cell];
    }
    p *= sum;
  }
  return p;
}

std::vector<double> JointTable::marginal(int factor) const {
  std::vector<double> out(static_cast<size_t>(cardinality(factor)), 0);
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const std::vector<int>& factors = blocks_[b].factors;
    const auto at = std::find(factors.begin(), factors.end(), factor);
    if (at == factors.end()) continue;
    for (size_t cell = 0; cell < blocks_[b].probability.size(); ++cell) {
      const int value = decode(b, cell)[static_cast<size_t>(at - factors.begin())];
      out[static_cast<size_t>(value)] += blocks_[b].probability[cell];
    }
  }
  return out;
}

double JointTable::block_entropy(size_t block, std::span<const int> subset) const {
  const std::vector<int>& factors = blocks_[block].factors;
  std::map<std::vector<int>, double> distribution;
  for (size_t cell = 0; cell < blocks_[block].probability.size(); ++cell) {
    const std::vector<int> values = decode(block, cell);
    std::vector<int> kept;
    for (size_t i = 0; i < factors.size(); ++i)
      if (holds(subset, factors[i])) kept.push_back(values[i]);
    distribution[kept] += blocks_[block].probability[cell];
  }
  return entropy_of(distribution);
}

double JointTable::entropy(std::span<const int> subset) const {
  double bits = 0;
  for (size_t block = 0; block < blocks_.size(); ++block) bits += block_entropy(block, subset);
  return bits;
}

double JointTable::entropy() const {
  std::vector<int> all(cardinalities_.size());
  std::iota(all.begin(), all.end(), 0);
  return entropy(all);
}

double JointTable::entropy(int factor) const { return entropy(std::vector<int>{factor}); }

double JointTable::mutual_information(int first, int second) const {
  return entropy(first) + entropy(second) - entropy(std::vector<int>{first, second});
}

double JointTable::inferable_bits(int factor) const {
  std::vector<int> others;
  for (int other = 0; other < factors(); ++other)
    if (other != factor) others.push_back(other);
  return entropy(factor) + entropy(others) - entropy();
}

void JointTable::sample(std::span<const float> uniforms, std::span<int> values) const {
  for (size_t b = 0; b < blocks_.size(); ++b) {
    const auto& cumulative = cumulative_[b];
    auto cell = static_cast<size_t>(
        std::upper_bound(cumulative.begin(), cumulative.end(), double{uniforms[b]}) -
        cumulative.begin());
    const std::vector<int>& factors = blocks_[b].factors;
    for (size_t i = factors.size(); i-- > 0;) {
      const auto size = static_cast<size_t>(cardinality(factors[i]));
      values[static_cast<size_t>(factors[i])] = static_cast<int>(cell % size);
      cell /= size;
    }
  }
}

JointTable::Block coupled_pair(int first, int first_cardinality, int second, int second_cardinality,
                               double coupling) {
  const int fewer = std::min(first_cardinality, second_cardinality);
  const int more = std::max(first_cardinality, second_cardinality);
  if (more % fewer != 0)
    throw Error("config.joint_table",
                fmt::format("cannot couple {} with {} values and keep both uniform",
                            first_cardinality, second_cardinality));
  const double flat = 1.0 / (first_cardinality * second_cardinality);
  JointTable::Block block{{first, second}, {}};
  for (int a = 0; a < first_cardinality; ++a)
    for (int b = 0; b < second_cardinality; ++b) {
      const bool matched = a * fewer / first_cardinality == b * fewer / second_cardinality;
      block.probability.push_back((1 - coupling) * flat + (matched ? coupling / more : 0));
    }
  return block;
}

JointTable::Block uniform_single(int factor, int cardinality) {
  return {{factor}, std::vector<double>(static_cast<size_t>(cardinality), 1.0 / cardinality)};
}

}  // namespace assay::world
