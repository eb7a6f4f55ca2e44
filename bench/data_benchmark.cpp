// What data costs: images and captions of the World, a cached batch, opening the real shards.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <filesystem>
#include <numeric>

#include "assay/data/dataset.h"
#include "assay/data/world/world.h"

namespace assay {
namespace {

void WorldImage(benchmark::State& state) {
  world::WorldConfig config;
  config.image_size = static_cast<int>(state.range(0));
  const world::World world(config, Seed(0));
  std::vector<float> image(world.image_numbers()), scratch;
  int64_t index = 0;
  for (auto _ : state) world.image(index++, image, scratch);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WorldImage)->Arg(16)->Arg(32)->Arg(64);

void WorldCaption(benchmark::State& state) {
  const world::World world(world::WorldConfig{}, Seed(0));
  std::vector<char> caption(64);
  int64_t index = 0;
  for (auto _ : state) world.caption(index++, caption);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(WorldCaption);

std::unique_ptr<Dataset> open(const std::string& toml, const std::string& base) {
  const Node table = parse_toml(toml, "bench.toml");
  const DatasetEntry& entry = dataset_entry(table, "data");
  return entry.make(Options(table, entry.options, "data"), Split::train, base);
}

void batches(benchmark::State& state, const Dataset& data) {
  torch::set_num_threads(1);
  int64_t step = 0;
  for (auto _ : state)
    benchmark::DoNotOptimize(data.get(ids_of_step(Seed(1), data.size(), 64, step++)));
  state.SetItemsProcessed(state.iterations() * 64);
}

void WorldBatch(benchmark::State& state) { batches(state, *open("kind = 'world'", "")); }
BENCHMARK(WorldBatch)->Unit(benchmark::kMicrosecond);

const std::string natural = ASSAY_SOURCE_DIR "/../shared/data/tiny-imagenet";

std::string natural_toml(const std::string& cache) {
  return fmt::format(
      "kind = 'webdataset'\npath = 'train-*.tar'\nheldout = 'val-*.tar'\ncache_dir = '{}'", cache);
}

std::string cache_here() {
  return (std::filesystem::temp_directory_path() / "assay-data-benchmark").string();
}

/// Arg 0: decode everything, nothing kept on disk; 1: map what an earlier opening left there.
void OpenImages(benchmark::State& state) {
  if (!std::filesystem::exists(natural)) return state.SkipWithError("no ../shared/data here");
  const std::string toml = natural_toml(state.range(0) ? cache_here() : "");
  if (state.range(0)) open(toml, natural);
  for (auto _ : state) benchmark::DoNotOptimize(open(toml, natural));
}
BENCHMARK(OpenImages)->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond)->UseRealTime();

void ImageBatch(benchmark::State& state) {
  if (!std::filesystem::exists(natural)) return state.SkipWithError("no ../shared/data here");
  batches(state, *open(natural_toml(cache_here()), natural));
  std::filesystem::remove_all(cache_here());
}
BENCHMARK(ImageBatch)->Iterations(2000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace assay

BENCHMARK_MAIN();
