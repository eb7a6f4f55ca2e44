// Frozen features of probe examples: pooled per layer for linear readouts, tokens for attentive
// ones.
#pragma once

#include "assay/measure/probe/readout.h"
#include "assay/objective/objective.h"

namespace assay::probe {

struct FeatureOptions {
  int64_t dimension = 128;       // of pooled features, at most
  int64_t token_dimension = 64;  // of tokens, at most
  bool tokens = true;            // whether tokens are wanted
};

struct Features {
  std::vector<FeatureSet> pooled;  // each layer, then all layers; or the raw input
  Tensor tokens;                   // [N, T, d] float32; undefined unless wanted
  double flops = 0;
};

/// Of objective.features() with the weights that are loaded: mean over tokens of the embeddings, of
/// each layer, and of all layers side by side; tokens carry all layers side by side. Every
/// reduction to the common dimension is fitted on the first `train` ids.
Features trunk_features(Objective& objective, const Dataset& data, std::span<const int64_t> ids,
                        int64_t train, const FeatureOptions& options);

/// Mean over tokens of all layers side by side, not reduced. [N, (L + 1)·D] float32
Tensor pooled_layers(Objective& objective, const Dataset& data, std::span<const int64_t> ids);

/// Of the input itself. Images: pixels; tokens are patches as many as the trunk has. Text:
/// frequencies of bytes and of hashed pairs of bytes; tokens are bytes. Tokens carry the sines and
/// cosines of their position, as the trunk's do.
Features raw_features(const Dataset& data, std::span<const int64_t> ids, int64_t train,
                      int64_t tokens_per_example, const FeatureOptions& options);

}  // namespace assay::probe
