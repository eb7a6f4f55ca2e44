// Derived factors of text: which book, which word comes next, and what a window has not seen.
#include <cmath>
#include <map>

#include "assay/data/factors/word_classes.h"
#include "assay/data/factors/words.h"
#include "data/fixtures.h"

namespace assay {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string word_after(const std::string& text, size_t from) {
  const auto word = next_word(bytes_of(text), from);
  return word ? lowered(bytes_of(text), *word) : "-";
}

TEST(Words, BeginAfterWhatIsBeforeThem) {
  const std::string text = "He said: “Don’t go, naïve Éva!” 'Twas 42";
  EXPECT_EQ(word_after(text, 0), "he");
  EXPECT_EQ(word_after(text, 1), "said") << "the middle of a word belongs to it";
  EXPECT_EQ(word_after(text, 3), "said");
  EXPECT_EQ(word_after(text, text.find("Don")), "don't");
  EXPECT_EQ(word_after(text, text.find("t go")), "go") << "an apostrophe does not end a word";
  EXPECT_EQ(word_after(text, text.find("na") + 3), "Éva") << "inside ï";
  EXPECT_EQ(word_after(text, text.find("'T")), "twas");
  EXPECT_EQ(word_after(text, text.find("42")), "-");
}

TEST(Words, Classes) {
  const std::map<std::string, int64_t> expected = {{"whale", 0}, {"the", 1}, {"she", 2},
                                                   {"under", 3}, {"and", 4}, {"was", 5},
                                                   {"their", 1}, {"for", 3}, {"not", 5}};
  for (const auto& [word, own] : expected) EXPECT_EQ(function_class(word), own) << word;
}

// 16 words: a × 8, b × 4, c × 2, d, e. Before a: 0, b: 8/16, c: 12/16, d: 14/16, e: 15/16; ⌊4 ·⌋.
TEST(Words, FrequencyClassesAreSharesOfOccurrences) {
  std::vector<std::string> words = {"e", "d", "c", "c"};
  words.insert(words.end(), 4, "b");
  words.insert(words.end(), 8, "a");
  const FrequencyClasses classes(words, 4);
  EXPECT_EQ(classes.of("a"), 0);
  EXPECT_EQ(classes.of("b"), 2);
  for (const char* rare : {"c", "d", "e", "unseen"}) EXPECT_EQ(classes.of(rare), 3) << rare;
}

class TextFactorsTest : public test::DataTest {
 protected:
  std::unique_ptr<Dataset> open(Split split, const std::string& more) const {
    return test::make_dataset(
        "kind = 'text'\npath = 'train*.txt'\nheldout = 'heldout.txt'\n" + more, split,
        folder().string());
  }
  std::vector<int64_t> column(const Dataset& data, int64_t k = 0) const {
    std::vector<int64_t> ids(static_cast<size_t>(data.size()));
    for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
    const Tensor labels = data.get(ids).labels.select(1, k).contiguous();
    return {labels.data_ptr<int64_t>(), labels.data_ptr<int64_t>() + labels.numel()};
  }
};

// One numbering for both splits: two training files, the second with two books, then the held-out
// file with two.
TEST_F(TextFactorsTest, BooksAreNumberedOverBothSplits) {
  write("train1.txt", "aaaa aaaa aaaa a");
  write("train2.txt", "bbbb bbbbEmma bbb bbbb bbbb");
  write("heldout.txt", "dddd Moby dddd dddd dddd");
  const std::string options = "window = 4\nderived = ['book']\nbook_starts = ['Emma bbb', 'Moby']";
  const auto train = open(Split::train, options), heldout = open(Split::heldout, options);
  EXPECT_EQ(train->info().factors[0].cardinality, 5);
  EXPECT_EQ(column(*train), (std::vector<int64_t>{0, 0, 0, 1, 1, -1, 2, 2, 2}));
  EXPECT_EQ(column(*heldout), (std::vector<int64_t>{3, -1, 4, 4, 4})) << "bytes 4 … 8 straddle";
  const auto refused = [&](const std::string& starts) {
    return test::error_of(
        [&] { open(Split::train, "window = 4\nderived = ['book']\nbook_starts = " + starts); });
  };
  EXPECT_EQ(refused("['Ahab']").code(), "data.book");
  EXPECT_NE(std::string(refused("['dddd']").what()).find("\"dddd\" of a book stands in 4 places"),
            std::string::npos)
      << refused("['dddd']").what();
}

// The word that a window's factor is about begins after the last byte that the window predicts.
TEST_F(TextFactorsTest, TheNextWordIsUnseen) {
  // Windows of 8 from bytes 0, 8, …: their next word begins at byte 9, 17, … or later.
  write("train.txt", "A whale the sea, and under the waves she was. ");
  write("heldout.txt", "Call me Ishmael. Of the whale, I know.");
  const auto train = open(Split::train, "window = 8\nderived = ['next-class']");
  EXPECT_EQ(train->size(), 5);
  const std::string text = read("train.txt");
  std::vector<int64_t> expected;
  for (size_t k = 0; k < 5; ++k) {
    // Independently: what stands behind the first blank from byte 8k + 8 on.
    size_t at = 8 * k + 9;
    if (text[at - 1] != ' ') at = text.find(' ', at) + 1;
    std::string word;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])))
      word += static_cast<char>(std::tolower(text[at++]));
    expected.push_back(word.empty() ? -1 : function_class(word));
  }
  EXPECT_EQ(column(*train), expected);
  EXPECT_EQ(expected, (std::vector<int64_t>{0, 4, 1, 2, 5}));
  // Planted fault: a label that the window's own bytes can change would leak. Window 1 is bytes
  // 8 … 16, and byte 16 is a blank.
  std::string other = text;
  for (size_t i = 8; i < 16; ++i) other[i] = 'x';
  write("train.txt", other);
  EXPECT_EQ(column(*open(Split::train, "window = 8\nderived = ['next-class']"))[1], expected[1]);
}

TEST_F(TextFactorsTest, FrequenciesAreThoseOfTrainingText) {
  std::string train, heldout;
  for (int i = 0; i < 300; ++i) train += i % 4 == 3 ? "wind " : "rain ";
  for (int i = 0; i < 100; ++i) heldout += i % 4 == 3 ? "rain " : "hail ";
  write("train.txt", train);
  write("heldout.txt", heldout);
  const std::string options = "window = 5\nderived = ['next-frequency']\nderived_bins = 2";
  // rain: class 0; wind begins at 3/4 of the occurrences: class 1; hail was never seen: class 1.
  const auto own = column(*open(Split::train, options));
  const auto other = column(*open(Split::heldout, options));
  const auto share = [](const std::vector<int64_t>& labels) {
    double ones = 0, known = 0;
    for (const int64_t label : labels) known += label >= 0, ones += label == 1;
    return ones / known;
  };
  EXPECT_NEAR(share(own), .25, .01);
  // Planted fault: frequencies of the held-out text itself would put hail into class 0.
  EXPECT_NEAR(share(other), .75, .02);
}

TEST_F(TextFactorsTest, SentencesAndWordLengths) {
  std::string text;
  for (int i = 0; i < 200; ++i)
    text += std::string(static_cast<size_t>(1 + i % 7), 'w') + (i % 5 == 4 ? ". " : " ");
  write("train.txt", text);
  write("heldout.txt", text + "other");
  const auto data =
      open(Split::train, "window = 16\nderived = ['sentence', 'word-length']\nderived_bins = 2");
  EXPECT_EQ(data->info().factors[0].kind, "position");
  EXPECT_EQ(data->info().factors[1].kind, "content");
  std::vector<double> since, lengths;
  for (int64_t k = 0; k < data->size(); ++k) {
    const std::string window = text.substr(static_cast<size_t>(16 * k), 16);
    const size_t dot = window.rfind('.');
    since.push_back(dot == std::string::npos ? 16 : 15 - static_cast<double>(dot));
    // Words between separators, the cut ones at either border left out.
    const bool cut = k > 0 && text[static_cast<size_t>(16 * k - 1)] == 'w';
    double letters = 0, words = 0, run = 0;
    bool first = cut;
    for (const char c : window) {
      if (c == 'w') {
        ++run;
        continue;
      }
      if (run > 0 && !first) letters += run, ++words;
      first = false;
      run = 0;
    }
    lengths.push_back(words > 0 ? letters / words : NAN);
  }
  for (const auto& [k, numbers] :
       {std::pair<int64_t, std::vector<double>&>{0, since}, {1, lengths}}) {
    std::vector<double> known;
    for (const double number : numbers)
      if (!std::isnan(number)) known.push_back(number);
    std::sort(known.begin(), known.end());
    const double edge = known[known.size() / 2];
    const auto labels = column(*data, k);
    for (size_t i = 0; i < labels.size(); ++i)
      EXPECT_EQ(labels[i], std::isnan(numbers[i]) ? -1 : numbers[i] >= edge) << k << " " << i;
  }
}

// Shares of the classes on whole held-out books, and the count of books.
TEST_F(TextFactorsTest, BooksAsTheyAre) {
  const std::string real = ASSAY_SOURCE_DIR "/../shared/data/books";
  if (!std::filesystem::exists(real)) GTEST_SKIP() << "no ../shared/data/books here";
  const auto data = test::make_dataset(
      "kind = 'text'\npath = 'train.txt'\nheldout = 'val.txt'\nderived = ['book', 'next-class', "
      "'next-frequency', 'word-length', 'sentence']\nbook_starts = ['Stately, plump Buck']",
      Split::heldout, real);
  EXPECT_EQ(data->info().factors[0].cardinality, 3);
  EXPECT_GT(data->info().factors[0].entropy_bits, .98);  // 1.22 and 1.51 MB
  EXPECT_GT(data->info().factors[1].entropy_bits, 2);
  EXPECT_GT(data->info().factors[2].entropy_bits, 2.7);
  EXPECT_GT(data->info().factors[3].entropy_bits, 2.9);
  EXPECT_GT(data->info().factors[4].entropy_bits, 1);
}

}  // namespace
}  // namespace assay
