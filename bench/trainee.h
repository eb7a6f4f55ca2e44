// What the benchmarks train: a preset of width W, depth 4, on the World.
#pragma once

#include "assay/tensor/torch.h"

#include "assay/data/dataset.h"
#include "assay/objective/objective.h"

namespace assay::bench {

struct Trainee {
  static constexpr int64_t kBatch = 64, kMicrobatch = 8;

  ModelConfig model;
  DataShape shape;
  std::unique_ptr<Dataset> data;
  Node resolved;

  Trainee(const std::string& preset, int64_t width) {
    model.width = width;
    const bool text = preset == "token";
    const Node table =
        parse_toml(text ? "kind = 'world'\nview = 'caption'" : "kind = 'world'", "bench");
    const DatasetEntry& entry = dataset_entry(table, "data");
    data = entry.make(Options(table, entry.options, "data"), Split::train, ".");
    shape = {text ? Modality::text : Modality::image, 3, 32, 64, data->info().factors};
    resolved = resolve_objective(parse_toml("preset = '" + preset + "'", "bench"), model, shape);
  }

  std::shared_ptr<Objective> objective() const {
    return make_objective(resolved, model, shape, Seed(0));
  }
};

}  // namespace assay::bench
