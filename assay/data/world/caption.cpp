// Words, captions and their entropy.
#include "assay/data/world/caption.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_set>

#include "assay/noise/noise.h"

namespace assay::world {
namespace {

using Words = std::array<std::vector<std::string>, factor_count>;  // [value * synonyms + synonym]

/// A word is one of two stems of four letters, and a letter for the value.
std::vector<std::string> numbered(const std::string& first, const std::string& second, int values) {
  std::vector<std::string> out;
  for (int value = 0; value < values; ++value)
    for (const std::string& stem : {first, second})
      out.push_back(fmt::format("{}{}", stem, static_cast<char>('a' + value)));
  return out;
}

Words make_words() {
  Words words;
  words[shape] = {"block", "boxed", "wedge", "delta", "ovoid", "ovals", "lunar", "moony"};
  words[hue] = {"ruddy", "coral", "amber", "ochre", "limey", "lemon", "green", "grass",
                "aquas", "ocean", "azure", "bluey", "lilac", "mauve", "peony", "roses"};
  words[x] = numbered("side", "cols", factor_specs[x].cardinality);
  words[y] = numbered("down", "rows", factor_specs[y].cardinality);
  words[scale] = {"teeny", "petty", "small", "minor", "large", "major", "giant", "jumbo"};
  words[orientation] = numbered("turn", "spin", factor_specs[orientation].cardinality);
  words[texture] = {"broad", "swell", "waved", "bands", "rings", "hoops", "grain", "finer"};
  words[light] = numbered("lamp", "glow", factor_specs[light].cardinality);
  return words;
}

const Words& all_words() {
  static const Words words = make_words();
  return words;
}

const std::unordered_set<std::string>& vocabulary() {
  static const std::unordered_set<std::string> set = [] {
    std::unordered_set<std::string> out;
    for (const auto& of_factor : all_words()) out.insert(of_factor.begin(), of_factor.end());
    return out;
  }();
  return set;
}

/// Endless uniforms of one example: block after block, each its own replica of the stream.
class Numbers {
 public:
  Numbers(Seed stream, int64_t index) : stream_(stream), index_(index) { refill(); }

  float uniform() {
    if (used_ == block_.size()) refill();
    return block_[used_++];
  }
  int below(int n) { return std::min(n - 1, static_cast<int>(uniform() * static_cast<float>(n))); }
  char letter() { return static_cast<char>('a' + below(26)); }

 private:
  void refill() {
    uniforms(stream_, index_, replica_++, block_);
    used_ = 0;
  }
  Seed stream_;
  int64_t index_, replica_ = 0;
  std::array<float, 128> block_;
  size_t used_ = 0;
};

std::string filler_word(Numbers& numbers) {
  std::string out(word_length, ' ');
  do {
    for (char& c : out) c = numbers.letter();
  } while (vocabulary().contains(out));
  return out;
}

double log2_falling(int n, int m) {  // n (n − 1) … (n − m + 1)
  double bits = 0;
  for (int i = 0; i < m; ++i) bits += std::log2(n - i);
  return bits;
}

}  // namespace

const std::string& word(FactorId factor, int value, int synonym) {
  return all_words()[factor].at(static_cast<size_t>(value * synonyms + synonym));
}

void write_caption(const CaptionRule& rule, const Scene& scene, Seed stream, int64_t index,
                   std::span<char> out) {
  Numbers numbers(stream, index);
  std::vector<int> slots(static_cast<size_t>(rule.slots()), -1);  // the factor, or -1 for filler
  size_t mentioned = 0;
  for (int factor = 0; factor < factor_count; ++factor)
    if (numbers.uniform() >= rule.mention_drop) slots[mentioned++] = factor;
  for (size_t i = slots.size(); i > 1; --i)  // Fisher and Yates
    std::swap(slots[i - 1], slots[static_cast<size_t>(numbers.below(static_cast<int>(i)))]);
  size_t at = 0;
  for (const int slot : slots) {
    std::string text;
    if (slot < 0) {
      text = filler_word(numbers);
    } else {
      const auto factor = static_cast<FactorId>(slot);
      text = word(factor, scene[factor], numbers.below(synonyms));
    }
    std::copy(text.begin(), text.end(), out.begin() + static_cast<std::ptrdiff_t>(at));
    at += word_length;
    out[at++] = ' ';
  }
  while (at < static_cast<size_t>(rule.window)) out[at++] = numbers.letter();
}

CaptionEntropy caption_entropy(const CaptionRule& rule, const JointTable& table) {
  const double drop = rule.mention_drop, letters = std::log2(26.0);
  const double filler_words =
      std::log2(std::pow(26.0, word_length) - static_cast<double>(vocabulary().size()));
  CaptionEntropy bits;
  for (unsigned mask = 0; mask < (1u << factor_count); ++mask) {
    const int mentioned = std::popcount(mask);
    const double p = std::pow(1 - drop, mentioned) * std::pow(drop, factor_count - mentioned);
    if (p <= 0) continue;
    std::vector<int> subset;
    for (int factor = 0; factor < factor_count; ++factor)
      if (mask >> factor & 1) subset.push_back(factor);
    bits.factors += p * table.entropy(subset);
    bits.mentions -= p * std::log2(p);
    bits.order += p * log2_falling(rule.slots(), mentioned);
    bits.synonym += p * mentioned * std::log2(double{synonyms});
    bits.filler += p * (rule.slots() - mentioned) * filler_words;
  }
  bits.filler += rule.tail() * letters;
  return bits;
}

}  // namespace assay::world
