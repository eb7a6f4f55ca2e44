// The trunk: names and order of parameters, initialisation, dropped tokens, causality, FLOPs.
#include "assay/model/trunk.h"

#include <gtest/gtest.h>

#include "assay/core/error.h"
#include "assay/model/decoder.h"
#include "assay/tensor/noise.h"

namespace assay {
namespace {

ModelConfig small() {
  ModelConfig config;
  config.width = 32;
  config.depth = 2;
  config.heads = 2;
  return config;
}

Tensor noise(at::IntArrayRef shape) { return normal_tensor(Seed(9), shape, 1); }

TEST(Trunk, ParametersComeInOrderEmbeddingLayersNorm) {
  Trunk trunk(small(), {16, 48}, Seed(1));
  std::vector<std::string> names;
  for (const auto& item : trunk.named_parameters()) names.push_back(item.key());
  EXPECT_EQ(names.front(), "embedding.patch.weight");
  EXPECT_EQ(names.back(), "norm.bias");
  const auto stage = [](const std::string& name) {
    if (name.starts_with("embedding.")) return 0;
    if (name.starts_with("layers.0.")) return 1;
    if (name.starts_with("layers.1.")) return 2;
    return 3;
  };
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end(),
                             [&](const auto& a, const auto& b) { return stage(a) < stage(b); }));
}

TEST(Trunk, InitialisationIsAFunctionOfTheSeed) {
  const Tensor state = at::globalContext().defaultGenerator(at::kCPU).get_state();
  Trunk first(small(), {16, 48}, Seed(1)), same(small(), {16, 48}, Seed(1)),
      other(small(), {16, 48}, Seed(2));
  EXPECT_TRUE(at::equal(state, at::globalContext().defaultGenerator(at::kCPU).get_state()));
  const auto a = first.parameters(), b = same.parameters(), c = other.parameters();
  bool differs = false;
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_TRUE(at::equal(a[i], b[i]));
    differs = differs || !at::equal(a[i], c[i]);
  }
  EXPECT_TRUE(differs);
}

TEST(Trunk, DroppingNothingChangesNothing) {
  Trunk trunk(small(), {16, 48}, Seed(1));
  const Tensor tokens = noise({3, 16, 48});
  TrunkInput all, kept;
  all.tokens = kept.tokens = tokens;
  kept.kept = at::arange(16).expand({3, 16});
  EXPECT_LT((trunk.forward(all) - trunk.forward(kept)).abs().max().item<double>(), 1e-5);
}

TEST(Trunk, DroppedTokensHaveNoInfluence) {
  Trunk trunk(small(), {16, 48}, Seed(1));
  TrunkInput input;
  input.tokens = noise({2, 16, 48});
  input.kept = at::tensor({0, 3, 7, 8, 5, 15}, at::kLong).view({2, 3});
  const Tensor before = trunk.forward(input);
  input.tokens = input.tokens.clone();
  input.tokens[0][1] += 10;
  EXPECT_TRUE(at::equal(before, trunk.forward(input)));
  input.tokens[0][3] += 10;
  EXPECT_FALSE(at::equal(before, trunk.forward(input)));
}

TEST(Trunk, CausalFeaturesDoNotSeeLaterBytes) {
  Trunk trunk(small(), {12, 0}, Seed(1));
  TrunkInput input;
  input.causal = true;
  input.tokens = at::arange(24, at::kLong).view({2, 12});
  const auto before = trunk.features(input);
  input.tokens = input.tokens.clone();
  input.tokens.narrow(1, 8, 4).add_(100);
  const auto after = trunk.features(input);
  ASSERT_EQ(before.size(), 3u);
  for (size_t l = 0; l < before.size(); ++l) {
    EXPECT_LT((before[l].narrow(1, 0, 8) - after[l].narrow(1, 0, 8)).abs().max().item<double>(),
              1e-6);
    EXPECT_GT((before[l][0][8] - after[l][0][8]).abs().max().item<double>(), 1e-3);
  }
}

TEST(Trunk, LevelIsSeenAndCleanIsZero) {
  Trunk trunk(small(), {16, 48}, Seed(1));
  TrunkInput input;
  input.tokens = noise({2, 16, 48});
  const Tensor clean = trunk.forward(input);
  input.level = at::zeros({2});
  EXPECT_LT((clean - trunk.forward(input)).abs().max().item<double>(), 1e-6);
  input.level = at::full({2}, 0.5);
  EXPECT_GT((clean - trunk.forward(input)).abs().max().item<double>(), 1e-3);
}

TEST(Trunk, FlopsAreTwoPerWeightAndTokenPlusAttention) {
  const Trunk trunk(small(), {16, 48}, Seed(1));
  const double weights = 2 * 12 * 32 * 32 + 48 * 32, level = 64 * 32 + 32 * 32;
  EXPECT_DOUBLE_EQ(trunk.flops(10), 2 * weights * 10 + 2 * level + 2 * 4 * 10 * 10 * 32);
}

TEST(Trunk, RefusesWidthsThatDoNotFit) {
  ModelConfig config = small();
  config.width = 30;
  EXPECT_THROW(Trunk(config, {16, 48}, Seed(1)), Error);
}

// One layer against the formula written with primitive operations.
TEST(Trunk, LayerEqualsTheFormula) {
  ModelConfig config = small();
  config.depth = 1;
  Trunk trunk(config, {4, 48}, Seed(1));
  trunk.to(at::kDouble);
  TrunkInput input;
  input.tokens = noise({2, 4, 48}).to(at::kDouble);
  const auto features = trunk.features(input);
  const auto p = trunk.named_parameters();
  const auto norm = [&](const Tensor& x, const std::string& name) {
    const Tensor centred = x - x.mean(2, true);
    return centred / (centred.square().mean(2, true) + 1e-5).sqrt() * p[name + ".weight"] +
           p[name + ".bias"];
  };
  const auto linear = [&](const Tensor& x, const std::string& name) {
    return x.matmul(p[name + ".weight"].t()) + p[name + ".bias"];
  };
  Tensor x = features[0];
  const Tensor qkv = linear(norm(x, "layers.0.attention_norm"), "layers.0.qkv");
  std::vector<Tensor> heads;
  for (int64_t h = 0; h < 2; ++h) {
    const auto part = [&](int64_t which) { return qkv.narrow(2, which * 32 + h * 16, 16); };
    heads.push_back((part(0).matmul(part(1).transpose(1, 2)) / 4).softmax(2).matmul(part(2)));
  }
  x = x + linear(at::cat(heads, 2), "layers.0.projection");
  const Tensor hidden = linear(norm(x, "layers.0.mlp_norm"), "layers.0.mlp_in");
  const Tensor gelu = hidden * 0.5 * (1 + at::erf(hidden / std::sqrt(2.0)));
  x = norm(x + linear(gelu, "layers.0.mlp_out"), "norm");
  EXPECT_LT((x - features[1]).abs().max().item<double>(), 1e-12);
}

TEST(Decoder, OutputsRowsOfTheOrderKeptThenMasked) {
  DecoderConfig config;
  config.width = 16;
  config.heads = 2;
  const Decoder decoder(config, 32, 48, 9, true, Seed(1));
  const Tensor kept = at::tensor({0, 4}, at::kLong).view({1, 2});
  const Tensor masked = at::tensor({1, 2, 3, 5, 6, 7, 8}, at::kLong).view({1, 7});
  const Tensor features = noise({1, 2, 32});
  const Tensor all = decoder.forward(features, kept, masked, 0, 9);
  const Tensor some = decoder.forward(features, kept, masked, 2, 7);
  EXPECT_LT((all.narrow(1, 2, 7) - some).abs().max().item<double>(), 1e-6);
  // Order within the masked ones does not matter to any token.
  const Tensor turned = decoder.forward(features, kept, masked.flip(1), 2, 7);
  EXPECT_LT((some - turned.flip(1)).abs().max().item<double>(), 1e-5);
}

}  // namespace
}  // namespace assay
