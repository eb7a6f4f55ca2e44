// Small models and batches for tests of objectives.
#pragma once

#include <cmath>

#include "assay/noise/noise.h"
#include "assay/objective/registry.h"
#include "assay/tensor/noise.h"

namespace assay {

inline ModelConfig small_model() {
  ModelConfig model;
  model.width = 32;
  model.depth = 2;
  model.heads = 2;
  return model;
}

inline DataShape image_data(int64_t size = 16) {
  return {Modality::image, 3, size, 0, {{"class", 10}, {"side", 2}}};
}
inline DataShape text_data(int64_t window = 12) { return {Modality::text, 0, 0, window}; }

/// Images and bytes are functions of the id; a repeated id is another replica.
inline Batch make_batch(const std::vector<int64_t>& ids, const DataShape& data) {
  Batch batch;
  batch.ids = ids;
  batch.replicas = replicas_of(ids);
  const std::vector<int64_t> zeros(ids.size(), 0);
  const RowKeys keys{batch.ids, zeros};
  const auto factors = static_cast<int64_t>(data.factors.size());
  batch.labels = at::empty({batch.size(), factors}, at::kLong);
  for (int64_t b = 0; b < batch.size(); ++b)
    for (int64_t k = 0; k < factors; ++k)
      batch.labels[b][k] =
          ids[static_cast<size_t>(b)] % data.factors[static_cast<size_t>(k)].cardinality;
  if (data.modality == Modality::image) {
    batch.images = normal_rows(Seed(77), keys, {data.channels, data.image_size, data.image_size},
                               at::TensorOptions(at::kFloat)) *
                   0.5;
  } else {
    batch.bytes =
        (uniform_rows(Seed(77), keys, {data.window + 1}, at::TensorOptions(at::kFloat)) * 256)
            .to(at::kLong);
  }
  return batch;
}

inline Node preset_table(const std::string& name, const std::string& overrides = "") {
  Node table = parse_toml(overrides, "test.toml");
  table.table()["preset"].value = name;
  return table;
}

/// The data that a preset is for: text if its target is.
inline DataShape data_for(const std::string& name) {
  const Node composition = preset(name);
  for (const auto& [term, table] : composition.find("term")->table())
    for (const auto& entry : parts<Target>())
      if (entry.info.name == table.find("target")->find("kind")->text() &&
          entry.modality == Modality::text)
        return text_data();
  return image_data();
}

inline std::shared_ptr<Objective> make_preset(const std::string& name,
                                              const std::string& overrides = "",
                                              const ModelConfig& model = small_model()) {
  const DataShape data = data_for(name);
  return make_objective(resolve_objective(preset_table(name, overrides), model, data), model, data,
                        Seed(5));
}

inline std::vector<std::pair<std::string, Tensor>> trained(Objective& objective) {
  std::vector<std::pair<std::string, Tensor>> out;
  for (const auto& item : objective.named_parameters())
    if (item.value().requires_grad()) out.emplace_back(item.key(), item.value());
  return out;
}

inline double largest(const Tensor& x) { return x.abs().max().item<double>(); }

}  // namespace assay
