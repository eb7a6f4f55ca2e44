// The caption: the factors of a scene as words among filler, with an entropy known exactly.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "assay/data/world/scene.h"

namespace assay::world {

/// All words have 5 letters a–z, and stand for one value of one factor.
constexpr int word_length = 5;
constexpr int synonyms = 2;
/// The word of a value; synonym in [0, synonyms).
const std::string& word(FactorId factor, int value, int synonym);

/// A caption of `window` bytes is window / 6 slots, each a word of 5 letters and a space, and a
/// tail of window mod 6 letters. Every factor is mentioned with probability 1 − mention_drop, by
/// either of two synonyms; mentions stand in slots drawn without replacement; every other slot is a
/// filler word, uniform over the 26⁵ − V strings of letters that are no word; the tail is uniform
/// letters.
struct CaptionRule {
  int window = 64;  // bytes; at least 48, so that 8 mentions fit
  double mention_drop = 0.25;

  int slots() const { return window / (word_length + 1); }
  int tail() const { return window % (word_length + 1); }
};

/// The caption of example `index`: a function of (stream, index, scene). out [window].
void write_caption(const CaptionRule& rule, const Scene& scene, Seed stream, int64_t index,
                   std::span<char> out);

/// Exact, in bits per caption. A caption determines what was mentioned, the order, the synonyms and
/// the filler, so the entropies add up.
struct CaptionEntropy {
  double factors = 0;   // of the values mentioned, given which factors are
  double mentions = 0;  // which factors are mentioned
  double order = 0;     // which slot holds which mention
  double synonym = 0;
  double filler = 0;  // words and tail

  double nuisance() const { return mentions + order + synonym + filler; }
  double total() const { return factors + nuisance(); }  // floor of the next-byte loss × window
};
CaptionEntropy caption_entropy(const CaptionRule& rule, const JointTable& table);

}  // namespace assay::world
