// snapshots/<step>.safetensors: all that a meter or a branch needs of a trial at one step.
#include "assay/train/snapshot.h"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::vector<NamedBuffer> buffers_of(const Subject::State& state) {
  return {{"parameters", state.live},
          {"averages", state.averaged},
          {"first_moments", state.first_moments},
          {"second_moments", state.raw_second_moments}};
}

}  // namespace

std::filesystem::path snapshot_path(const std::filesystem::path& trial, int64_t step) {
  return trial / "snapshots" / fmt::format("{:08d}.safetensors", step);
}

std::vector<int64_t> snapshot_steps(const std::filesystem::path& trial) {
  std::vector<int64_t> steps;
  if (!std::filesystem::is_directory(trial / "snapshots")) return steps;
  for (const auto& file : std::filesystem::directory_iterator(trial / "snapshots")) {
    const std::string name = file.path().stem().string();
    int64_t step = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (error == std::errc() && end == name.data() + name.size() &&
        file.path().extension() == ".safetensors")
      steps.push_back(step);
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

void save_snapshot(const std::filesystem::path& trial, const FlatParameters& flat,
                   const Subject::State& state) {
  std::filesystem::create_directories(trial / "snapshots");
  save_checkpoint(
      snapshot_path(trial, state.step), flat, buffers_of(state), state.objective,
      {{"step", state.step}, {"fraction", state.fraction}, {"ledger", to_json(state.ledger)}});
}

Subject::State load_snapshot(const std::filesystem::path& path, Objective& objective,
                             const TrainConfig& config) {
  Subject::State state;
  for (const auto& [name, tensor] : objective.state())
    state.objective.emplace_back(name, tensor.detach().clone());
  const FlatParameters flat(objective);
  for (Tensor* buffer :
       {&state.live, &state.averaged, &state.first_moments, &state.raw_second_moments})
    *buffer = torch::empty_like(flat.values());
  const nlohmann::json stored = load_checkpoint(path, flat, buffers_of(state), state.objective);
  state.step = stored.at("step");
  state.fraction = stored.at("fraction");
  state.ledger = ledger_from_json(stored.at("ledger"));
  state.train = config;
  state.steps = steps_of(config, objective.flops_per_example());
  return state;
}

}  // namespace assay
