// Images from WebDataset tar shards, decoded once.
#include <fmt/format.h>

#include <algorithm>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
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
    hash_content();
    images_.emplace(options, of_split, source(), faults_, info_);
    if (images_->from_cache()) files_.clear();
    describe_labels();
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return images_->size(); }
  Batch get(std::span<const int64_t> ids) const override {
    return images_->get(ids, !info_.factors.empty());
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
    for (const MappedFile& file : files_) all += text_of(file.bytes()) + '\n';
    info_.hash = hash_text(all);
  }

  ImageSource source() {
    return {[this](Faults& faults) {
              std::vector<Sample> samples;
              for (size_t shard = 0; shard < files_.size(); ++shard)
                read_shard(files_[shard], shard, rule_, faults, samples);
              return samples;
            },
            [this](const Sample& sample, int size, std::span<uint8_t> out) {
              const MappedFile& file = files_[sample.shard];
              decode_named(file.bytes().subspan(sample.offset, sample.length),
                           fmt::format("{}: {}", file.path(), sample.key), size, out);
            }};
  }

  void describe_labels() {
    if (info_.factors.empty()) return;
    const auto& labels = images_->labels();
    info_.factors[0].cardinality =
        rule_.classes.value_or(int64_t{*std::max_element(labels.begin(), labels.end())} + 1);
    count_classes(*images_, info_);
  }

  DatasetInfo info_;
  Faults faults_;
  LabelRule rule_;
  std::vector<MappedFile> files_;  // empty when the cache on disk is used
  std::optional<LabelledImages> images_;
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
          "label of the split plus one."))};
  const std::vector<Option> shared = image_file_options();
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
