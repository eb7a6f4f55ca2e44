// Captions: what they say, how often, and their entropy against hand computation.
#include "assay/data/world/caption.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "assay/data/world/world.h"
#include "world/statistics.h"

namespace assay::world {
namespace {

struct Meaning {
  int factor, value, synonym;
};

std::map<std::string, Meaning> dictionary() {
  std::map<std::string, Meaning> out;
  for (int factor = 0; factor < factor_count; ++factor)
    for (int value = 0; value < factor_specs[static_cast<size_t>(factor)].cardinality; ++value)
      for (int synonym = 0; synonym < synonyms; ++synonym)
        out[word(static_cast<FactorId>(factor), value, synonym)] = {factor, value, synonym};
  return out;
}

TEST(Caption, WordsAreDistinctAndEquallyLong) {
  const auto words = dictionary();
  EXPECT_EQ(words.size(), 68u * synonyms);
  for (const auto& [text, meaning] : words) {
    EXPECT_EQ(text.size(), size_t{word_length}) << text;
    EXPECT_EQ(text.find_first_not_of("abcdefghijklmnopqrstuvwxyz"), std::string::npos) << text;
  }
}

// H0: a factor is mentioned with probability .75, by either synonym with .5, in any slot. n = 4,000
// captions; two-sided z-tests, level 1e-6 in all. Power above .99 against .79, .54 and a slot's
// share of .1 grown to .12.
TEST(Caption, SaysTheSceneAndNothingElse) {
  const World world(WorldConfig{}, Seed(9));
  const auto words = dictionary();
  constexpr int n = 4000;
  std::map<int, int> mentions, slots;
  int first_synonym = 0, all = 0;
  std::string caption(64, '?');
  for (int64_t i = 0; i < n; ++i) {
    world.caption(i, caption);
    const Scene scene = world.scene(i);
    std::set<int> seen;
    for (int slot = 0; slot < 10; ++slot) {
      ASSERT_EQ(caption[static_cast<size_t>(slot) * 6 + 5], ' ');
      const auto found = words.find(caption.substr(static_cast<size_t>(slot) * 6, 5));
      if (found == words.end()) continue;
      const Meaning& meaning = found->second;
      EXPECT_EQ(meaning.value, scene.values[static_cast<size_t>(meaning.factor)]);
      EXPECT_TRUE(seen.insert(meaning.factor).second) << caption;
      ++mentions[meaning.factor];
      ++slots[slot];
      first_synonym += meaning.synonym == 0;
      ++all;
    }
    ASSERT_EQ(caption.find_first_not_of("abcdefghijklmnopqrstuvwxyz ", 0), std::string::npos);
  }
  const double critical = test::normal_quantile(1e-6 / 40);
  const auto score = [](double count, double trials, double p) {
    return std::abs(count - trials * p) / std::sqrt(trials * p * (1 - p));
  };
  for (int factor = 0; factor < factor_count; ++factor)
    EXPECT_LT(score(mentions[factor], n, 0.75), critical) << factor;
  for (int slot = 0; slot < 10; ++slot) EXPECT_LT(score(slots[slot], n, 0.6), critical) << slot;
  EXPECT_LT(score(first_synonym, all, 0.5), critical);
}

TEST(Caption, EntropyWithoutDropsIsTheHandComputedSum) {
  const JointTable table = default_table(0.5);
  const CaptionEntropy bits = caption_entropy({.window = 64, .mention_drop = 0}, table);
  EXPECT_NEAR(bits.factors, table.entropy(), 1e-9);
  EXPECT_NEAR(bits.mentions, 0, 1e-12);
  EXPECT_NEAR(bits.order, std::log2(3628800.0 / 2), 1e-9);  // 10!/2!
  EXPECT_NEAR(bits.synonym, 8, 1e-12);
  EXPECT_NEAR(bits.filler, 2 * std::log2(11881376.0 - 136) + 4 * std::log2(26.0), 1e-9);
}

TEST(Caption, EntropyOfMentionsIsEightBinaryEntropies) {
  const CaptionEntropy bits =
      caption_entropy({.window = 48, .mention_drop = 0.25}, default_table(0));
  EXPECT_NEAR(bits.mentions, 8 * (2 - 0.75 * std::log2(3.0)), 1e-9);
  EXPECT_NEAR(bits.factors, 0.75 * 23, 1e-9);  // independent factors: each counts when mentioned
  EXPECT_NEAR(bits.synonym, 6, 1e-9);
}

TEST(Caption, DependsOnSeedAndIndexAlone) {
  const World first(WorldConfig{}, Seed(1)), second(WorldConfig{}, Seed(1));
  std::string one(64, '?'), again(64, '?'), next(64, '?');
  first.caption(5, one);
  second.caption(6, next);
  second.caption(5, again);
  EXPECT_EQ(one, again);
  EXPECT_NE(one, next);
}

}  // namespace
}  // namespace assay::world
