// Classes of words: by a closed list of English function words, and by frequency.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace assay {

/// 0 = none of the lists (nouns, most verbs, adjectives, adverbs, names), 1 = articles and other
/// determiners, 2 = pronouns, 3 = prepositions, 4 = conjunctions, 5 = auxiliary verbs and not. A
/// word of several classes stands in the one it has most often (that: 4, her: 2). Lower case.
constexpr int64_t kFunctionClasses = 6;
int64_t function_class(const std::string& word);

/// Words of equal share by falling frequency: class 0 holds the most frequent ones.
class FrequencyClasses {
 public:
  /// words: as they occur in training. With words by falling count, then alphabetically, word w is
  /// in class ⌊classes · share of all occurrences before w⌋.
  FrequencyClasses(const std::vector<std::string>& words, int64_t classes);

  /// A word that training did not have is in the last class.
  int64_t of(const std::string& word) const;
  /// "word class" lines: what a hash needs to know.
  std::string text() const;

 private:
  int64_t classes_;
  std::map<std::string, int64_t> class_of_;
};

}  // namespace assay
