// Nodes: TOML with places, merging of presets, --set.
#include "assay/core/node.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace assay {
namespace {

using Json = nlohmann::json;

Node parse(const std::string& toml) { return parse_toml(toml, "s.toml"); }

TEST(Node, TomlKeepsPlacesOfKeysAndValues) {
  const Node root = parse("[model]\nwidth = 64\n");
  const Node* width = root.find("model")->find("width");
  EXPECT_EQ(width->key_place.line, 2);
  EXPECT_EQ(width->key_place.column, 1);
  EXPECT_EQ(width->place.column, 9);
  EXPECT_EQ(to_json(root), Json::parse(R"({"model":{"width":64}})"));
}

TEST(Node, SyntaxErrorHasLineAndColumn) {
  try {
    parse("a = 1\nb = = 2\n");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "config.syntax");
    EXPECT_EQ(error.place().line, 2);
  }
}

TEST(Node, MissingFileIsNamed) {
  try {
    read_toml("/nonexistent/study.toml");
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), "config.missing_file");
    EXPECT_NE(std::string(error.what()).find("/nonexistent/study.toml"), std::string::npos);
  }
}

TEST(Node, JsonRoundTripKeepsTypes) {
  const Json json = Json::parse(R"({"a":[1,2.5,"x",true,null],"b":{"c":-3}})");
  EXPECT_EQ(to_json(from_json(json)), json);
}

TEST(Node, MergeGoesKeyByKey) {
  const Node merged = merge(parse("law = { mean = 1.0, sd = 2.0 }\nx = 1"), parse("law.sd = 3.0"));
  EXPECT_EQ(to_json(merged), Json::parse(R"({"law":{"mean":1.0,"sd":3.0},"x":1})"));
}

TEST(Node, MergeReplacesATableOfAnotherKind) {
  const Node merged = merge(parse("law = { kind = 'logit-normal', mean = 1.0 }"),
                            parse("law = { kind = 'uniform' }"));
  EXPECT_EQ(to_json(merged), Json::parse(R"({"law":{"kind":"uniform"}})"));
}

TEST(Node, AssignReachesTablesAndListEntries) {
  Node root = parse("[[objective]]\npreset = 'mae'\n[train]\nbatch = 64\n");
  assign(root, "train.batch=32");
  assign(root, "train.budget.steps=5");
  assign(root, "train.seed=[0, 1]");
  assign(root, "objective.0.preset=denoise");
  EXPECT_EQ(to_json(root), Json::parse(R"({"objective":[{"preset":"denoise"}],
      "train":{"batch":32,"budget":{"steps":5},"seed":[0,1]}})"));
}

TEST(Node, AssignRefusesWhatCannotBe) {
  Node root = parse("[[objective]]\npreset = 'mae'\n[train]\nbatch = 64\n");
  for (const char* wrong : {"train.batch", "=3", "train.batch.size=1", "objective.7.preset=x"}) {
    try {
      assign(root, wrong);
      ADD_FAILURE() << "accepted: " << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), "usage.assignment") << wrong;
    }
  }
}

}  // namespace
}  // namespace assay
