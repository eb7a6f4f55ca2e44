// Resolving compositions: overrides, defaults, and every refusal.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/objective/fixture.h"

namespace assay {
namespace {

using testing::HasSubstr;

nlohmann::json resolved(const std::string& name, const std::string& overrides) {
  return to_json(resolve_objective(preset_table(name, overrides), small_model(), data_for(name)));
}

// The error that resolving gives; `help` is checked too.
void expect_error(const Node& table, const DataShape& data, const std::string& code,
                  const std::string& message, const std::string& help, int line) {
  try {
    resolve_objective(table, small_model(), data);
    FAIL() << "no error, expected " << code;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(message));
    EXPECT_THAT(error.help(), HasSubstr(help)) << error.what();
    if (line > 0) {
      EXPECT_EQ(error.place().line, line) << error.what();
    }
  }
}

void expect_error(const std::string& preset_name, const std::string& overrides,
                  const std::string& code, const std::string& message, const std::string& help,
                  int line = 0) {
  expect_error(preset_table(preset_name, overrides), data_for(preset_name), code, message, help,
               line);
}

TEST(Resolve, FillsInDefaultsOfEveryPart) {
  const auto mae = resolved("mae", "");
  EXPECT_EQ(mae["term"]["pixels"]["views"]["kind"], "single");
  EXPECT_EQ(mae["term"]["pixels"]["predict"]["depth"], 2);
  EXPECT_EQ(mae["term"]["pixels"]["weight"]["value"], 1.0);
  EXPECT_EQ(mae["level_bins"], 8);
  const auto denoise = resolved("denoise", "");
  EXPECT_EQ(denoise["term"]["pixels"]["corrupt"]["law"]["mean"], -0.8);
}

TEST(Resolve, OverridesOneOptionOrAWholePart) {
  EXPECT_EQ(
      resolved("mae", "term.pixels.corrupt.ratio = 0.5")["term"]["pixels"]["corrupt"]["ratio"],
      0.5);
  const auto shorthand = resolved("mae", "corrupt.ratio = 0.5\nname = \"half\"");
  EXPECT_EQ(shorthand["term"]["pixels"]["corrupt"]["ratio"], 0.5);
  EXPECT_EQ(shorthand["term"]["pixels"]["corrupt"]["drop"], true);
  EXPECT_EQ(shorthand["name"], "half");
  const auto law = resolved(
      "denoise", "corrupt.law = { kind = \"uniform\", high = 0.9 }")["term"]["pixels"]["corrupt"];
  EXPECT_EQ(law["law"], (nlohmann::json{{"kind", "uniform"}, {"low", 0.0}, {"high", 0.9}}));
}

TEST(Resolve, ACompositionWithoutPreset) {
  const Node table = parse_toml(R"(
[term.own]
corrupt = { kind = "level" }
predict = { kind = "linear" }
target = { kind = "pixels" }
metric = { kind = "squared_error" }
)",
                                "test.toml");
  const Node node = resolve_objective(table, small_model(), image_data());
  EXPECT_EQ(to_json(node)["term"]["own"]["corrupt"]["law"]["kind"], "logit-normal");
  const auto objective = make_objective(node, small_model(), image_data(), Seed(1));
  EXPECT_EQ(objective->cells().front().term, "own");
}

// Two terms over one trunk: columns of both, each normalised by its own targets.
TEST(Resolve, TermsAdd) {
  const std::string two = R"(
[term.noise]
corrupt = { kind = "level" }
predict = { kind = "linear" }
target = { kind = "pixels" }
metric = { kind = "squared_error" }
weight = { kind = "constant", value = 0.5 }
)";
  const auto objective = make_preset("mae", two);
  EXPECT_EQ(objective->expected_targets().size(), 2u);
  EXPECT_EQ(objective->tokens_per_example(), 4 + 16);
  const Batch batch = make_batch({1, 2}, image_data());
  const LossMap map = objective->losses(batch, Draw::from(Seed(1), 0));
  const auto cells = objective->cells();
  double sum = 0;
  for (size_t c = 0; c < cells.size(); ++c)
    sum += map.loss.select(1, static_cast<int64_t>(c)).mean().item<double>() *
           (cells[c].term == "noise" ? 0.5 / 768 : 1.0 / 576);
  EXPECT_NEAR(training_loss(*objective, map, 0).item<double>(), sum, 1e-5 * sum);
}

TEST(Resolve, UnknownNamesGetTheNearest) {
  expect_error("mae", "corrupt.ration = 0.5", "config.unknown_key", "ration", "ratio", 1);
  expect_error("mae", "\ncorupt = { ratio = 0.5 }", "config.unknown_key", "corupt", "corrupt", 2);
  expect_error("mae", "[term.pixel]\ncorrupt.ratio = 0.5", "config.unknown_key", "pixel", "pixels",
               1);
  expect_error("mae", "corrupt.kind = \"maks\"", "config.choice", "maks", "mask", 1);
  expect_error("denoise", "corrupt.law.kind = \"unifrom\"", "config.choice", "unifrom", "uniform",
               1);
  expect_error("denoise", "corrupt.law.sdd = 1", "config.unknown_key", "sdd", "sd", 1);
  Node misspelt = parse_toml("preset = \"denois\"", "test.toml");
  expect_error(misspelt, image_data(), "config.choice", "denois", "denoise", 1);
  expect_error(parse_toml("", "test.toml"), image_data(), "config.missing_key", "preset", "mae", 0);
}

TEST(Resolve, RefusesWrongValues) {
  expect_error("mae", "corrupt.ratio = 1.5", "config.range", "ratio", "", 1);
  expect_error("mae", "corrupt.ratio = 0.01", "config.range", "masks 0 of 16",
               "at least one token");
  expect_error("mae", "corrupt = 3", "config.missing_key", "kind", "");
  expect_error("mae", "predict.heads = 3", "config.model", "decoder width 16", "divisible");
}

TEST(Resolve, RefusesWhatMakesNoSense) {
  expect_error(preset_table("mae"), text_data(), "config.modality", "needs images", "dataset", 0);
  expect_error(preset_table("token"), image_data(), "config.modality", "needs text", "dataset", 0);
  expect_error("denoise", "target.tokens = \"masked\"", "config.no_masked_tokens", "masks none",
               "mask");
  expect_error("mae", "metric.space = \"v\"", "config.loss_space", "x-prediction", "level");
  expect_error("mae", "predict = { kind = \"linear\" }", "config.predict", "dropped", "decoder");
  expect_error("denoise", "predict = { kind = \"decoder\" }", "config.predict", "none are dropped",
               "drop");
  expect_error(preset_table("mae"), image_data(18), "config.patch", "side 18", "model.patch", 0);
}

// Objectives that could only collapse, or that contradict themselves, end before any step.
TEST(Resolve, RefusesObjectivesThatMustCollapse) {
  const std::string remedy = "regulariser";
  expect_error("jepa", "target.teacher = \"live\"", "config.collapse", "gradient", remedy);
  expect_error("jepa",
               "target = { teacher = \"stop_gradient\", tokens = \"visible\" }\npredict = { "
               "kind = \"linear\" }",
               "config.collapse", "nothing stands between", remedy);
  expect_error("simclr", "metric = { kind = \"squared_error\" }", "config.collapse", "constant",
               remedy);
  expect_error("nepa", "target.teacher = \"live\"", "config.collapse", "gradient", remedy);
  // With a predictor, a teacher or a regulariser each of them is allowed.
  const auto allowed = [](const std::string& name, const std::string& overrides) {
    EXPECT_NO_THROW(resolved(name, overrides)) << overrides;
  };
  allowed("jepa", "target.teacher = \"stop_gradient\"");
  allowed("jepa",
          "target.teacher = \"live\"\nregularise.sigreg = { kind = \"sigreg\", of = "
          "\"features\" }");
  allowed("simclr",
          "metric = { kind = \"cosine\" }\ntarget.stop_gradient = true\npredict = { kind = "
          "\"predictor\" }");
}

TEST(Resolve, RefusesViewsPatchesAndBandsThatDoNotFit) {
  expect_error("simclr", "views = { kind = \"single\" }", "config.views", "there is 1",
               "count = 2");
  expect_error("dino", "views = { kind = \"crop\", count = 1 }", "config.views", "there is 1",
               "count = 2");
  expect_error("dino", "views.local_side = 6", "config.patch", "side 6", "model.patch");
  expect_error("mae", "views = { kind = \"multi_crop\" }", "config.views", "small views", "crop");
  expect_error(preset_table("next-band"), image_data(24), "config.bands", "side 24", "power of two",
               0);
  expect_error("release", "weight.withheld = 4", "config.bands", "none of 4 bands", "lower");
  expect_error("release", "bands = 1", "config.bands", "none of 1 bands", "raise `bands`");
}

TEST(Resolve, RefusesPredictionsThatLackTheirNoise) {
  expect_error("denoise-eps", "metric.space = \"v\"", "config.loss_space", "x-prediction",
               "target.predict");
  expect_error("mae", "target.predict = \"eps\"", "config.loss_space", "no noise is mixed in",
               "level");
  expect_error("mae", "weight = { kind = \"min_snr\" }", "config.loss_space", "noise level",
               "level");
  expect_error("denoise", "weight = { kind = \"variational\" }", "config.loss_space", "bound",
               "steps");
  expect_error("mae", "regularise.kl = { kind = \"kl\" }", "config.regularise", "bottleneck",
               "predict.kind");
  expect_error("pixel-ar", "corrupt = { kind = \"clean\" }", "config.leak", "follows", "causal");
  expect_error("pixel-token", "metric = { kind = \"squared_error\" }", "config.metric", "classes",
               "cross_entropy");
  expect_error("mae", "metric = { kind = \"cross_entropy\" }", "config.metric", "numbers",
               "classes");
  expect_error("denoise", "weight = { kind = \"tokens\" }", "config.no_masked_tokens", "visible",
               "mask");
}

TEST(Resolve, RefusesLabelsThatAreNotThere) {
  DataShape bare = image_data();
  bare.factors.clear();
  expect_error(preset_table("supervised"), bare, "config.labels", "has none", "labels", 0);
  bare.factors = {{"class", 0}};
  expect_error(preset_table("supervised"), bare, "config.labels", "not known", "classes = 200", 0);
  expect_error("supervised", "target.factor = \"clas\"", "config.choice", "clas", "class");
  expect_error("supervised-narrow", "target.kept = 9", "config.range", "leaves fewer", "lower");
}

}  // namespace
}  // namespace assay
