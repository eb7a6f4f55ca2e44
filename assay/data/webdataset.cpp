// Images from WebDataset tar shards, decoded once.
#include <fmt/format.h>

#include <algorithm>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
#include "assay/data/decode.h"
#include "assay/data/labelled_images.h"
#include "assay/data/shards.h"

namespace assay {
namespace {

constexpr const char* format_version =
    "webdataset-1";  // part of every hash: raise it when pixels change

std::string text_of(std::span<const uint8_t> bytes) {
  return hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

DatasetInfo describe(const Options& options, const std::string&) {
  DatasetInfo info;
  info.kind = "webdataset";
  info.channels = 3;
  info.image_size = options.integer("size");
  if (!options.text("label").empty()) {
    const int64_t classes = options.has("classes") ? options.integer("classes") : 0;
    info.factors = {{"class", classes, 0, "content"}};
  }
  for (Factor& factor : derived_image_factors(options, info.channels, true))
    info.factors.push_back(std::move(factor));
  return info;
}

class WebDataset : public Dataset {
 public:
  WebDataset(const Options& options, Split split, const std::string& base)
      : info_(describe(options, base)), faults_(options.text("on_error") == "skip") {
    refuse_overlap(options, base);
    const std::string of_split = split == Split::train ? "path" : "heldout";
    open_shards(input_files(options, of_split, base, faults_));
    rule_.field = options.text("label");
    if (options.has("classes")) rule_.classes = options.integer("classes");
    for (const BoxStatistic& statistic : box_statistics())
      for (const Factor& factor : info_.factors)
        if (factor.name == statistic.name)
          rule_.box = options.has("box") ? options.text("box") : "box";
    hash_content();
    images_.emplace(options, of_split, source(), faults_, info_);
    describe_labels();
    derive(options, split, base);
    if (images_->from_cache()) files_.clear();
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return images_->size(); }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch = images_->get(ids, !rule_.field.empty());
    batch.labels = derived_->append(batch.labels, ids);
    return batch;
  }

 private:
  void open_shards(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      try {
        files_.emplace_back(path);
      } catch (const Error& error) {
        faults_.report(error);
      }
    }
  }

  void hash_content() {
    std::string all = fmt::format("{}\n{}\n{}\n{}\n{}\n", format_version, info_.image_size,
                                  rule_.field, rule_.classes.value_or(0), faults_.skip());
    if (!rule_.box.empty()) all += rule_.box + '\n';
    for (const MappedFile& file : files_) all += text_of(file.bytes()) + '\n';
    info_.hash = hash_text(all);
  }

  std::vector<Sample> list(Faults& faults) const {
    std::vector<Sample> samples;
    for (size_t shard = 0; shard < files_.size(); ++shard)
      read_shard(files_[shard], shard, rule_, faults, samples);
    return samples;
  }

  ImageSource source() {
    return {[this](Faults& faults) { return list(faults); },
            [this](const Sample& sample, int size, std::span<uint8_t> out) {
              const MappedFile& file = files_[sample.shard];
              decode_named(file.bytes().subspan(sample.offset, sample.length),
                           fmt::format("{}: {}", file.path(), sample.key), size, out);
            }};
  }

  void describe_labels() {
    if (rule_.field.empty()) return;
    const auto& labels = images_->labels();
    info_.factors[0].cardinality =
        rule_.classes.value_or(int64_t{*std::max_element(labels.begin(), labels.end())} + 1);
    count_classes(*images_, info_);
  }

  void derive(const Options& options, Split split, const std::string& base) {
    DerivedSource source = images_->derived_source(options, info_);
    source.boxes = [this] { return places(); };
    std::function<std::vector<QuantileBins>()> of_training;
    if (split == Split::heldout)
      of_training = [&] { return WebDataset(options, Split::train, base).derived_->bins(); };
    derived_.emplace(options, source, of_training, info_);
  }

  /// Of the examples that are in use, in order: those whose image can be decoded, whose header has
  /// the size that a box refers to.
  std::vector<std::optional<BoxPlace>> places() const {
    Faults seen(faults_.skip());  // these were counted before
    std::vector<std::optional<BoxPlace>> out;
    for (const Sample& sample : list(seen)) try {
        const Picture picture =
            decode_image(files_[sample.shard].bytes().subspan(sample.offset, sample.length));
        out.push_back(sample.box ? place_in_square(*sample.box, picture.width, picture.height)
                                 : std::nullopt);
      } catch (const Error& error) {
        seen.report(error);
      }
    return out;
  }

  DatasetInfo info_;
  Faults faults_;
  LabelRule rule_;
  std::vector<MappedFile> files_;  // empty when the cache on disk is used
  std::optional<LabelledImages> images_;
  std::optional<DerivedImages> derived_;
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<WebDataset>(options, split, base);
}

std::vector<Option> options() {
  std::vector<Option> out{
      paths_option("path",
                   "Training shards: a path, a pattern such as \"data/train-*.tar\", or a list; "
                   "relative to the study file."),
      paths_option("heldout", "Held-out shards, in the same form; no file of `path`."),
      declare::text("label", "label", "Field of the JSON that holds the class; \"\" = none."),
      declare::optional(declare::integer(
          "classes", std::nullopt, declare::closed(1, 1 << 24),
          "Number of classes; labels outside 0 … classes - 1 are errors. Absent: the largest "
          "label of the split plus one.")),
      declare::optional(declare::text(
          "box", std::nullopt,
          "Field of the JSON that holds the object's box, [left, top, right, bottom] in pixels of "
          "the stored image, all inside; null or missing = unknown. Read only if `derived` names a "
          "box factor. Absent: `box`."))};
  for (const auto& shared : {image_file_options(), derived_image_options(true)})
    out.insert(out.end(), shared.begin(), shared.end());
  return out;
}

}  // namespace

DatasetEntry webdataset_dataset() {
  return {"webdataset",
          "JPEG or PNG images with JSON in tar shards, area-averaged to one size, in -1..1.",
          options(), make, describe};
}

}  // namespace assay
