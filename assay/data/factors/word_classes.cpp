// The closed list, and frequencies counted on training text.
#include "assay/data/factors/word_classes.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <unordered_map>

namespace assay {
namespace {

constexpr const char* kLists[kFunctionClasses] = {
    "",
    "a an the this these those every each either neither some any no all both half my your his its "
    "our their whose such much many more most few several another one two three",
    "i me myself mine you yourself yours thou thee he him himself she her herself hers it itself "
    "we "
    "us ourselves ours they them themselves theirs who whom what which whoever whatever something "
    "anything nothing everything someone anyone everyone nobody somebody anybody everybody none",
    "of in to for with on at from by about as into like through after over between out against "
    "during without before under around among upon towards toward beside besides behind beyond "
    "across along near off up down within above below beneath amid despite except throughout till "
    "until since",
    "and but or nor so yet that if than because while though although whether when where unless "
    "lest whereas",
    "be am is are was were been being have has had having do does did will would shall should can "
    "could may might must ought not don't didn't doesn't won't can't couldn't wouldn't isn't "
    "wasn't "
    "haven't hadn't i'm i've i'll i'd it's that's"};

const std::unordered_map<std::string, int64_t>& lists() {
  static const std::unordered_map<std::string, int64_t> classes = [] {
    std::unordered_map<std::string, int64_t> out;
    for (int64_t k = 0; k < kFunctionClasses; ++k) {
      std::istringstream words(kLists[k]);
      for (std::string word; words >> word;) out.emplace(word, k);
    }
    return out;
  }();
  return classes;
}

}  // namespace

int64_t function_class(const std::string& word) {
  const auto found = lists().find(word);
  return found == lists().end() ? 0 : found->second;
}

FrequencyClasses::FrequencyClasses(const std::vector<std::string>& words, int64_t classes)
    : classes_(classes) {
  std::map<std::string, int64_t> counts;
  for (const std::string& word : words) ++counts[word];
  std::vector<std::pair<std::string, int64_t>> order(counts.begin(), counts.end());
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  const auto total = static_cast<int64_t>(words.size());
  int64_t before = 0;
  for (const auto& [word, count] : order) {
    class_of_[word] = classes * before / total;
    before += count;
  }
}

int64_t FrequencyClasses::of(const std::string& word) const {
  const auto found = class_of_.find(word);
  return found == class_of_.end() ? classes_ - 1 : found->second;
}

std::string FrequencyClasses::text() const {
  std::string out;
  for (const auto& [word, own] : class_of_) out += fmt::format("{} {}\n", word, own);
  return out;
}

}  // namespace assay
