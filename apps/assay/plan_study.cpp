#include "apps/assay/plan_study.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "assay/core/error.h"

namespace assay::cli {
namespace {

// Widths × budgets × seeds: one [[objective]] entry.
struct Block {
  std::vector<int> widths;
  std::vector<int64_t> budgets;
  std::vector<int> seeds;
};

// Runs of one seed: for each width its budgets, widths of equal budgets together.
std::vector<Block> blocks_of_seed(const Sweep& sweep, const StudyShape& shape, int seed) {
  std::map<int, std::set<int64_t>> budgets;
  for (const SweepPoint& point : sweep)
    if (point.runs > seed)
      budgets[shape.width(point.model_size)].insert(std::llround(point.data_size));
  std::vector<Block> blocks;
  for (const auto& [width, of_width] : budgets) {
    const std::vector<int64_t> list(of_width.begin(), of_width.end());
    const auto same =
        std::ranges::find_if(blocks, [&](const Block& block) { return block.budgets == list; });
    if (same == blocks.end())
      blocks.push_back({{width}, list, {seed}});
    else
      same->widths.push_back(width);
  }
  return blocks;
}

std::vector<Block> blocks_of(const Sweep& sweep, const StudyShape& shape) {
  int seeds = 0;
  for (const SweepPoint& point : sweep) seeds = std::max(seeds, point.runs);
  std::vector<Block> blocks;
  for (int seed = 0; seed < seeds; ++seed)
    for (Block& block : blocks_of_seed(sweep, shape, seed)) {
      const auto same = std::ranges::find_if(blocks, [&](const Block& other) {
        return other.widths == block.widths && other.budgets == block.budgets;
      });
      if (same == blocks.end())
        blocks.push_back(std::move(block));
      else
        same->seeds.push_back(seed);
    }
  return blocks;
}

// Presets of text read captions of the same scenes.
bool reads_text(const std::string& objective) { return objective.starts_with("token"); }

void check_objective(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (name.empty() || !std::ranges::all_of(name, plain))
    throw Error("usage.objective", fmt::format("`{}` is no name of a preset", name),
                "`assay list presets` lists them");
}

std::string data_text(const char* name, const char* view, int64_t examples) {
  return fmt::format("[data.{}]\nkind = \"world\"\nview = \"{}\"\nexamples = {}\n\n", name, view,
                     examples);
}

std::string block_text(const std::string& objective, const Block& block) {
  return fmt::format(
      "\n[[objective]]\npreset = \"{}\"\n{}model.width = [{}]\ntrain.budget = {{ examples = [{}] "
      "}}\ntrain.seed = [{}]\n",
      objective, reads_text(objective) ? "data = \"captions\"\n" : "",
      fmt::join(block.widths, ", "), fmt::join(block.budgets, ", "), fmt::join(block.seeds, ", "));
}

}  // namespace

int StudyShape::width(double model_size) const {
  const int step = std::lcm(kWidthStep, heads);
  const double exact = std::sqrt(model_size / (12.0 * depth)) / step;
  const int below = std::max(1, static_cast<int>(exact));
  return step * (exact * exact < static_cast<double>(below) * (below + 1) ? below : below + 1);
}

double StudyShape::parameters(int width) const { return 12.0 * depth * width * width; }

SizeRounding StudyShape::rounding() const {
  return {[*this](double size) { return parameters(width(size)); },
          [](double data) { return kBatch * std::max(1.0, std::round(data / kBatch)); }};
}

void check_shape(const StudyShape& shape) {
  if (shape.depth < 1)
    throw Error("usage.depth", fmt::format("a trunk of {} layers", shape.depth), "at least 1");
  if (shape.heads < 1)
    throw Error("usage.heads", fmt::format("{} attention heads", shape.heads), "at least 1");
}

std::string study_text(const Sweep& sweep, const StudyShape& shape,
                       const std::vector<std::string>& objectives,
                       const std::vector<std::string>& comments) {
  for (const std::string& objective : objectives) check_objective(objective);
  double most = 0;
  for (const SweepPoint& point : sweep) most = std::max(most, point.data_size);
  std::string text;
  for (const std::string& comment : comments) text += "# " + comment + "\n";
  text +=
      "[study]\nname = \"planned\"\nquestion = \"How do losses fall with model size and unique "
      "data?\"\n\n";
  if (!std::ranges::all_of(objectives, reads_text))
    text += data_text("scenes", "image", std::llround(most));
  if (std::ranges::any_of(objectives, reads_text))
    text += data_text("captions", "caption", std::llround(most));
  text += fmt::format("[model]\ndepth = {}\nheads = {}\npatch = {}\n\n", shape.depth, shape.heads,
                      StudyShape::kPatch);
  text += fmt::format("[train]\nbatch = {}\n\n", StudyShape::kBatch);
  text += "[measure]\nat = [0, 1]\nheldout_loss = { examples = 2048 }\n";
  for (const std::string& objective : objectives)
    for (const Block& block : blocks_of(sweep, shape)) text += block_text(objective, block);
  return text;
}

}  // namespace assay::cli
