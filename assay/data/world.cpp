// The World as a dataset: images or captions of the same scenes.
#include "assay/data/world/world.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"

namespace assay {
namespace {

world::WorldConfig config_of(const Options& options) {
  world::WorldConfig config;
  config.image_size = static_cast<int>(options.integer("image_size"));
  config.coupling = options.real("coupling");
  config.data_snr = options.real("data_snr");
  config.white_share = options.real("white_share");
  config.caption.window = static_cast<int>(options.integer("window"));
  config.caption.mention_drop = options.real("mention_drop");
  return config;
}

std::string factor_note(const world::JointTable& table) {
  std::string inferable;
  for (int factor = 0; factor < table.factors(); ++factor)
    if (table.inferable_bits(factor) > 1e-9)
      inferable += fmt::format(" {} {:.3f}", world::factor_specs[static_cast<size_t>(factor)].name,
                               table.inferable_bits(factor));
  return fmt::format("factors: H = {:.3f} bits; I(factor; rest):{}", table.entropy(),
                     inferable.empty() ? " none" : inferable);
}

std::string caption_note(const world::CaptionEntropy& bits, int window) {
  return fmt::format(
      "caption: {:.3f} bits ({:.4f} nat per byte is the floor of next-byte prediction) = factors "
      "{:.3f} + mentions {:.3f} + order {:.3f} + synonyms {:.3f} + filler {:.3f}",
      bits.total(), bits.total() / window * std::log(2.0), bits.factors, bits.mentions, bits.order,
      bits.synonym, bits.filler);
}

DatasetInfo describe(const Options& options, const std::string&) {
  const world::WorldConfig config = config_of(options);
  const world::JointTable table = world::default_table(config.coupling);
  DatasetInfo info;
  info.kind = "world";
  for (int factor = 0; factor < world::factor_count; ++factor) {
    const auto& spec = world::factor_specs[static_cast<size_t>(factor)];
    info.factors.push_back(
        {std::string(spec.name), spec.cardinality, table.entropy(factor), std::string(spec.kind)});
  }
  info.notes = {factor_note(table)};
  if (options.text("view") == "caption") {
    info.modality = Modality::text;
    info.window = config.caption.window;
    info.notes.push_back(
        caption_note(world::caption_entropy(config.caption, table), config.caption.window));
  } else {
    info.channels = 3;
    info.image_size = config.image_size;
  }
  // The content is a function of the options and of the generator's version.
  info.hash = hash_text(fmt::format("world-1 {}", to_json(options.effective()).dump()));
  return info;
}

class WorldDataset : public Dataset {
 public:
  WorldDataset(const Options& options, Split split)
      : info_(describe(options, {})),
        world_(config_of(options), Seed(static_cast<uint64_t>(options.integer("seed")))
                                       .child("world")
                                       .child(split == Split::train ? "train" : "heldout")),
        size_(options.integer(split == Split::train ? "examples" : "heldout")) {}

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return size_; }

  Batch get(std::span<const int64_t> ids) const override {
    Batch batch = batch_of(ids, size());
    const int64_t count = batch.size();
    if (info_.modality == Modality::image)
      batch.images = images(ids);
    else
      batch.bytes = captions(ids);
    batch.labels = torch::empty({count, world::factor_count}, torch::kInt64);
    auto* to = batch.labels.data_ptr<int64_t>();
    for (const int64_t id : ids)
      for (const int value : world_.scene(id).values) *to++ = value;
    return batch;
  }

 private:
  Tensor images(std::span<const int64_t> ids) const {
    const int64_t side = info_.image_size;
    Tensor out = torch::empty({static_cast<int64_t>(ids.size()), 3, side, side}, torch::kFloat32);
    const size_t each = world_.image_numbers();
    auto* to = out.data_ptr<float>();
    std::vector<float> scratch;
    for (const int64_t id : ids) {
      world_.image(id, {to, each}, scratch);
      to += each;
    }
    return out;
  }

  /// A line feed stands before every caption, so that each of its bytes is predicted.
  Tensor captions(std::span<const int64_t> ids) const {
    Tensor out = torch::empty({static_cast<int64_t>(ids.size()), info_.window + 1}, torch::kInt64);
    auto* to = out.data_ptr<int64_t>();
    std::vector<char> caption(static_cast<size_t>(info_.window));
    for (const int64_t id : ids) {
      world_.caption(id, caption);
      *to++ = '\n';
      to = std::copy(caption.begin(), caption.end(), to);
    }
    return out;
  }

  DatasetInfo info_;
  world::World world_;
  int64_t size_;
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string&) {
  return std::make_unique<WorldDataset>(options, split);
}

}  // namespace

DatasetEntry world_dataset() {
  return {
      "world",
      "One object over a 1/f² field and white noise, or its caption; factors and bits are known.",
      {declare::choice("view", "image", {"image", "caption"},
                       "What a model sees of a scene: its picture or its caption."),
       declare::integer("image_size", 32, declare::closed(16, 1024),
                        "Side of the square images, in pixels."),
       declare::integer("examples", 100000, declare::at_least(1), "Number of training examples."),
       declare::integer("heldout", 20000, declare::at_least(1), "Number of held-out examples."),
       declare::integer("seed", 0, declare::at_least(0),
                        "Which world: everything follows from it."),
       declare::real("coupling", 0.8, Range{0, 1, false, true},
                     "Strength of the joint table (shape and hue, scale and texture, orientation "
                     "and light); 0 = the twin with the same marginals and nothing to infer."),
       declare::real("data_snr", 1.0, declare::at_least(0),
                     "Mean square of the object's picture over the variance of field and white "
                     "noise (means over pixels, taken at 32 pixels); their sum is always .25."),
       declare::real("white_share", 0.1, declare::closed(0, 1),
                     "Share of white noise in the variance of field and white noise."),
       declare::integer("window", 64, declare::closed(48, 1 << 16), "Bytes of a caption."),
       declare::real("mention_drop", 0.25, Range{0, 1, false, true},
                     "Probability that a factor is not mentioned in a caption.")},
      make,
      describe};
}

}  // namespace assay
