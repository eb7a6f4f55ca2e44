// A small dataset and a small trial for tests of the trainer.
#pragma once

#include "assay/tensor/torch.h"

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "assay/train/trainer.h"

namespace assay::testing {

/// 8×8 images whose pixels are sines of (id, position); example `poisoned` is not a number.
class Sines : public Dataset {
 public:
  explicit Sines(int64_t size = 96, int64_t poisoned = -1) : size_(size), poisoned_(poisoned) {
    info_.kind = "sines";
    info_.channels = 3;
    info_.image_size = 8;
  }
  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    const auto rows = static_cast<int64_t>(ids.size());
    batch.images = torch::empty({rows, 3, 8, 8});
    float* out = batch.images.data_ptr<float>();
    for (int64_t id : ids)
      for (int64_t i = 0; i < 192; ++i)
        *out++ = id == poisoned_ ? std::numeric_limits<float>::quiet_NaN()
                                 : 0.5f * std::sin(0.37f * static_cast<float>(id + 1) +
                                                   0.21f * static_cast<float>(i));
    batch.labels = torch::empty({rows, 0}, torch::kInt64);
    return batch;
  }

 private:
  int64_t size_, poisoned_;
  DatasetInfo info_;
};

inline ModelConfig small_model() {
  ModelConfig model;
  model.width = 16;
  model.depth = 2;
  model.heads = 2;
  model.patch = 4;
  return model;
}

inline DataShape small_shape() { return {Modality::image, 3, 8, 0}; }

inline std::shared_ptr<Objective> small_objective(const std::string& preset = "denoise",
                                                  uint64_t seed = 1) {
  // The running centre of DINO is state beside its teacher.
  const std::string centre = preset == "dino" ? "\ntarget.centring = 'mean'" : "";
  const Node composition = resolve_objective(
      parse_toml("preset = '" + preset + "'" + centre, "test"), small_model(), small_shape());
  return make_objective(composition, small_model(), small_shape(), Seed(seed));
}

inline TrainConfig small_config(int64_t steps = 30) {
  TrainConfig config;
  config.budget_steps = steps;
  config.batch = 16;
  config.microbatch = 2;
  config.seed = 3;
  return config;
}

/// A folder that goes away with the test.
struct TemporaryFolder {
  std::filesystem::path path;
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "assay-test-XXXXXX").string();
    if (!mkdtemp(name.data())) throw std::runtime_error("mkdtemp failed");
    path = name;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

}  // namespace assay::testing
