// assay measure gradients: the gradients behind the noise view, for anyone to recompute it.
#include "assay/tensor/torch.h"

#include "assay/study/export_gradients.h"

#include <fmt/format.h>

#include <bit>
#include <nlohmann/json.hpp>

#include "assay/store/measure_log.h"
#include "assay/store/safetensors.h"
#include "assay/train/trainer.h"

namespace assay {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::json;

template <typename Value>
std::span<const std::byte> bytes_of(const std::vector<Value>& values) {
  return std::as_bytes(std::span(values));
}

Json description(const OpenTrial& trial, Subject& subject, const SnrMeasurement& measurement,
                 const SnrAspect& aspect, Weights weights, double flops_per_example) {
  Json groups = Json::array(), parameters = Json::array();
  for (const Group& group : subject.parameters().groups())
    groups.push_back({{"name", group.name}, {"begin", group.begin}, {"end", group.end}});
  for (const auto& entry : subject.parameters().entries())
    parameters.push_back(
        {{"name", entry.name}, {"shape", entry.shape}, {"begin", entry.begin}, {"end", entry.end}});
  return {{"format", 1},
          {"trial", trial.folder.filename().string()},
          {"name", trial.config.name},
          {"step", subject.state().step},
          {"fraction", subject.state().fraction},
          {"weights", to_string(weights)},
          {"units", aspect.units},
          {"examples_per_unit", measurement.plan().examples_per_unit},
          {"draws", measurement.plan().draws},
          {"flops_per_example", flops_per_example},
          {"groups", std::move(groups)},
          {"parameters", std::move(parameters)}};
}

void require_room(const GradientExport& request, double bytes) {
  if (bytes > request.max_bytes)
    throw Error("usage.size",
                fmt::format("{} would take {:.3g} GB, more than the {:.3g} GB of --max-gb",
                            request.out.string(), bytes / 1e9, request.max_bytes / 1e9),
                "export fewer --units or --draws, or raise --max-gb");
  std::error_code unknown;
  const auto folder = fs::absolute(request.out).parent_path();
  const fs::space_info space = fs::space(folder, unknown);
  if (!unknown && static_cast<double>(space.available) < bytes)
    throw Error("environment.disk_full",
                fmt::format("{} needs {:.3g} GB, {} has {:.3g}", request.out.string(), bytes / 1e9,
                            folder.string(), static_cast<double>(space.available) / 1e9),
                "make room, or export fewer --units or --draws");
}

std::vector<int64_t> draw_seeds(Seed seed, int64_t units, int64_t draws) {
  std::vector<int64_t> seeds;
  for (int64_t unit = 0; unit < units; ++unit)
    for (int64_t j = 0; j < draws; ++j)
      seeds.push_back(std::bit_cast<int64_t>(draw_seed(seed, unit, j).value()));
  return seeds;
}

}  // namespace

nlohmann::json export_gradients(const OpenTrial& trial, const GradientExport& request,
                                const std::atomic<bool>& stop) {
  Subject subject = subject_at(trial, request.step);
  SnrMeasurement measurement(subject, request.plan);
  ObjectiveGradients& source = measurement.source();
  const SnrAspect whole = measurement.aspects().front();
  const int64_t b = measurement.plan().examples_per_unit, draws = measurement.plan().draws;
  const int64_t size = source.size();
  const auto ids = measurement.examples(whole, 0);
  const auto seeds = draw_seeds(measurement.draws(whole), whole.units, draws);
  require_room(request, static_cast<double>(whole.units * draws * size) * sizeof(float));

  const Tensor weight = adam_weight(subject.state());
  std::vector<SafetensorsWriter::Entry> entries = {{"ids", "I64", {whole.units, b}},
                                                   {"draw_seeds", "I64", {whole.units, draws}}};
  if (weight.defined()) entries.push_back({"adam_weight", "F32", {size}});
  entries.push_back({"gradients", "F32", {whole.units, draws, size}});
  Json meta =
      description(trial, subject, measurement, whole, request.weights, source.flops_per_example());
  SafetensorsWriter file(request.out, entries, {{"assay", meta.dump()}});
  file.append(bytes_of(ids));
  file.append(bytes_of(seeds));
  if (weight.defined())
    file.append(
        std::as_bytes(std::span(weight.data_ptr<float>(), static_cast<size_t>(weight.numel()))));

  subject.load(request.weights);
  std::vector<float> gradient(static_cast<size_t>(size));
  for (int64_t i = 0; i < whole.units * draws; ++i) {
    if (stop) throw Interrupted{};
    const auto unit =
        std::span(ids).subspan(static_cast<size_t>(i / draws * b), static_cast<size_t>(b));
    const Seed seed(std::bit_cast<uint64_t>(seeds[static_cast<size_t>(i)]));
    source.gradient(unit, Draw::from(seed, subject.state().fraction), gradient);
    file.append(bytes_of(gradient));
  }
  file.commit();

  const double flops = measurement.flops_per_block(whole);
  append_measures(trial.folder, {Json{{"kind", "measuring"},
                                      {"command", "gradients"},
                                      {"step", subject.state().step},
                                      {"weights", to_string(request.weights)},
                                      {"about", "whole"},
                                      {"units", whole.units},
                                      {"examples_per_unit", b},
                                      {"draws", draws},
                                      {"measuring_flops", flops}}});
  meta["file"] = request.out.string();
  meta["bytes"] = fs::file_size(request.out);
  meta["measuring_flops"] = flops;
  return meta;
}

}  // namespace assay
