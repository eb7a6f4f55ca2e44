// Options: defaults, and one clear error for every kind of wrong input.
#include "assay/core/options.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::vector<Option> declared() {
  using namespace declare;
  return {real("ratio", 0.75, open(0, 1), "fraction of tokens hidden"),
          integer("depth", 4, at_least(1), "layers"),
          choice("law", "uniform", {"uniform", "logit-normal"}, "of levels"),
          boolean("drop", true, "whether hidden tokens are dropped"),
          reals("at", std::vector<double>{0, 1}, closed(0, 1), "fractions"),
          text("path", {}, "of the file"),
          optional(integer("window", {}, at_least(2), "bytes")),
          table("inner", {real("mean", -0.8, {}, "of the logit")}, "nested")};
}

Options read(const std::string& toml) {
  return Options(parse_toml(toml, "s.toml"), declared(), "part");
}

Error refusal(const std::string& toml) {
  try {
    read(toml);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "accepted: " << toml;
  return Error("none", "none");
}

TEST(Options, DefaultsFillWhatIsNotGiven) {
  const Options options = read("path = 'x'");
  EXPECT_EQ(options.real("ratio"), 0.75);
  EXPECT_EQ(options.integer("depth"), 4);
  EXPECT_EQ(options.text("law"), "uniform");
  EXPECT_TRUE(options.flag("drop"));
  EXPECT_EQ(options.reals("at"), (std::vector<double>{0, 1}));
  EXPECT_FALSE(options.has("window"));
  EXPECT_EQ(options.table("inner").real("mean"), -0.8);
}

TEST(Options, GivenValuesWinAndIntegersServeAsReals) {
  const Options options = read("path = 'x'\nratio = 0.5\ndepth = 1e2\ninner.mean = 1");
  EXPECT_EQ(options.real("ratio"), 0.5);
  EXPECT_EQ(options.integer("depth"), 100);
  EXPECT_EQ(options.table("inner").real("mean"), 1.0);
}

TEST(Options, EffectiveReadsBackToItself) {
  const Options once = read("path = 'x'\nwindow = 8");
  const Options twice(from_json(to_json(once.effective())), declared(), "part");
  EXPECT_EQ(to_json(once.effective()), to_json(twice.effective()));
}

TEST(Options, UnknownKeyNamesTheNearestAndItsPlace) {
  const Error error = refusal("path = 'x'\nratoi = 0.5");
  EXPECT_EQ(error.code(), "config.unknown_key");
  EXPECT_EQ(error.help(), "did you mean `ratio`?");
  EXPECT_EQ(error.place().line, 2);
  EXPECT_EQ(error.place().column, 1);
  EXPECT_EQ(error.exit_code(), ExitCode::usage);
}

TEST(Options, WrongTypeRangeChoiceAndMissingKey) {
  EXPECT_EQ(refusal("path = 1").code(), "config.type");
  EXPECT_EQ(refusal("path = 'x'\ndepth = 1.5").code(), "config.type");
  EXPECT_EQ(refusal("path = 'x'\ndepth = true").code(), "config.type");
  const Error range = refusal("path = 'x'\nratio = 1.0");
  EXPECT_EQ(range.code(), "config.range");
  EXPECT_STREQ(range.what(), "`ratio` in [part] must be in (0, 1), got 1");
  EXPECT_EQ(refusal("path = 'x'\nratio = nan").code(), "config.range");
  EXPECT_EQ(refusal("path = 'x'\nlaw = 'unifrom'").help(), "did you mean `uniform`?");
  EXPECT_EQ(refusal("ratio = 0.5").code(), "config.missing_key");
  EXPECT_EQ(refusal("path = 'x'\nat = [0, 2]").code(), "config.range");
  EXPECT_EQ(refusal("path = 'x'\ninner.maen = 1").code(), "config.unknown_key");
  EXPECT_EQ(refusal("path = 'x'\nwindow = 1").code(), "config.range");
}

TEST(Error, RendersLikeACompilerAndSurvivesJson) {
  const Error error = refusal("path = 'x'\n\n  ratoi = 0.5");
  const std::string text = render(error);
  EXPECT_EQ(text,
            "error[config.unknown_key]: unknown key `ratoi` in [part]\n"
            " --> s.toml:3:3\n"
            "  |\n"
            "3 |   ratoi = 0.5\n"
            "  |   ^^^^^\n"
            "  = help: did you mean `ratio`?\n");
  EXPECT_EQ(render(error_from_json(to_json(error))), text);
}

TEST(Error, SuggestionsAreNeverFarFetched) {
  EXPECT_EQ(nearest_name("mea", {"mae", "token"}), "mae");
  EXPECT_FALSE(nearest_name("xyzuvw", {"mae", "token"}));
  EXPECT_EQ(suggest("xyzuvw", {"mae", "token"}), "known: mae, token");
}

}  // namespace
}  // namespace assay
