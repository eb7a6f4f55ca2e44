// Images from WebDataset tar shards, decoded once.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
#include "assay/data/image_store.h"

namespace assay {
namespace {

constexpr const char* format_version =
    "webdataset-1";  // part of every hash: raise it when pixels change

std::string text_of(std::span<const uint8_t> bytes) {
  return hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

/// Entropy of the labels as they occur, in bits.
double empirical_entropy(const std::vector<int32_t>& labels, int64_t classes) {
  std::vector<double> counts(static_cast<size_t>(classes), 0);
  for (const int32_t label : labels) counts[static_cast<size_t>(label)] += 1;
  double bits = 0;
  for (const double count : counts) {
    const double p = count / static_cast<double>(labels.size());
    if (p > 0) bits -= p * std::log2(p);
  }
  return bits;
}

DatasetInfo describe(const Options& options) {
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
      : info_(describe(options)), faults_(options.text("on_error") == "skip") {
    refuse_overlap(options, base);
    const std::string of_split = split == Split::train ? "path" : "heldout";
    open_shards(input_files(options, of_split, base, faults_));
    rule_.field = options.text("label");
    if (options.has("classes")) rule_.classes = options.integer("classes");
    hash_content();
    load(static_cast<double>(options.integer("cache_mb")) * 1e6,
         cache_folder(options.text("cache_dir")));
    if (images_.count == 0)
      throw options.error(of_split, "data.empty",
                          fmt::format("`{}` in [{}] holds no image", of_split, options.where()),
                          fmt::format("{} entries were skipped", info_.skipped));
    describe_labels();
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return images_.count; }

  Batch get(std::span<const int64_t> ids) const override {
    Batch batch;
    batch.ids.assign(ids.begin(), ids.end());
    batch.replicas = replicas_of(ids);
    const auto count = static_cast<int64_t>(ids.size());
    Tensor pixels = torch::empty({count, 3, images_.size, images_.size}, torch::kUInt8);
    auto* to = pixels.data_ptr<uint8_t>();
    const size_t each = images_.image_bytes();
    for (const int64_t id : ids) {
      if (id < 0 || id >= size())
        throw Error("data.range", fmt::format("no example {} among {}", id, size()));
      const auto row = static_cast<size_t>(id);
      if (images_.pixels)
        std::memcpy(to, images_.pixels + row * each, each);
      else
        decode_sample(files_[samples_[row].shard], samples_[row], images_.size, {to, each});
      to += each;
    }
    batch.images = pixels.to(torch::kFloat32).div_(127.5).sub_(1);
    batch.labels = torch::empty({count, static_cast<int64_t>(info_.factors.size())}, torch::kInt64);
    if (!info_.factors.empty())
      for (size_t i = 0; i < ids.size(); ++i)
        batch.labels.data_ptr<int64_t>()[i] = images_.labels[static_cast<size_t>(ids[i])];
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
    for (const MappedFile& file : files_) all += text_of(file.bytes()) + '\n';
    info_.hash = hash_text(all);
  }

  /// In order: the cache on disk, decoding into memory, decoding each batch.
  void load(double most_bytes, const std::string& folder) {
    const auto fits = [&](size_t count) {
      return static_cast<double>(count) * 3 * std::pow(info_.image_size, 2) <= most_bytes;
    };
    const std::string path =
        folder.empty() ? "" : fmt::format("{}/images-{}.bin", folder, info_.hash);
    std::optional<CacheLock> lock;
    if (!path.empty()) {
      if (use_cache(path, fits)) return;
      lock.emplace(path + ".lock");
      if (use_cache(path, fits)) return;  // another worker has just made it
    }
    for (size_t shard = 0; shard < files_.size(); ++shard)
      read_shard(files_[shard], shard, rule_, faults_, samples_);
    const bool keep = fits(samples_.size());
    if (keep || faults_.skip()) {
      images_ = decode_all(files_, samples_, static_cast<int>(info_.image_size), faults_, keep);
    } else {
      images_.size = static_cast<int>(info_.image_size);
      images_.count = static_cast<int64_t>(samples_.size());
      for (const Sample& sample : samples_) images_.labels.push_back(sample.label);
    }
    if (!keep) images_.pixels = nullptr;
    images_.skipped = info_.skipped = faults_.skipped();
    images_.notes = info_.notes = faults_.notes();
    if (!keep)
      info_.notes.push_back(fmt::format(
          "not cached: {} images take {:.0f} MB, more than cache_mb; each batch decodes "
          "its own",
          images_.count,
          static_cast<double>(images_.count) * static_cast<double>(images_.image_bytes()) / 1e6));
    if (keep && !path.empty()) save(path);
  }

  template <typename Fits>
  bool use_cache(const std::string& path, const Fits& fits) {
    std::optional<DecodedImages> found = load_decoded(path);
    if (!found || !fits(static_cast<size_t>(found->count))) return false;
    images_ = std::move(*found);
    info_.skipped = images_.skipped;
    info_.notes = images_.notes;
    files_.clear();
    return true;
  }

  void save(const std::string& path) {
    try {
      save_decoded(path, images_);
      // From here on the pages are shared with every other process that maps the file.
      if (auto mapped = load_decoded(path)) images_ = std::move(*mapped);
    } catch (const Error& error) {
      info_.notes.push_back(fmt::format("decoded images not kept on disk: {}", error.what()));
    }
  }

  void describe_labels() {
    if (info_.factors.empty()) return;
    Factor& factor = info_.factors[0];
    const int32_t largest = *std::max_element(images_.labels.begin(), images_.labels.end());
    factor.cardinality = rule_.classes.value_or(int64_t{largest} + 1);
    factor.entropy_bits = empirical_entropy(images_.labels, factor.cardinality);
  }

  DatasetInfo info_;
  Faults faults_;
  LabelRule rule_;
  std::vector<MappedFile> files_;  // empty when the cache on disk is used
  std::vector<Sample> samples_;
  DecodedImages images_;  // pixels = nullptr: decode each batch
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<WebDataset>(options, split, base);
}

}  // namespace

DatasetEntry webdataset_dataset() {
  return {"webdataset",
          "JPEG or PNG images with JSON in tar shards, area-averaged to one size, in -1..1.",
          {paths_option("path",
                        "Training shards: a path, a pattern such as \"data/train-*.tar\", or "
                        "a list; relative to the study file."),
           paths_option("heldout", "Held-out shards, in the same form; no file of `path`."),
           declare::integer("size", 32, declare::closed(4, 4096),
                            "Side of the square images, in pixels; the centre is cropped and "
                            "averaged over areas."),
           declare::text("label", "label", "Field of the JSON that holds the class; \"\" = none."),
           declare::optional(declare::integer(
               "classes", std::nullopt, declare::closed(1, 1 << 24),
               "Number of classes; labels outside 0 … classes - 1 are errors. Absent: the largest "
               "label of the split plus one.")),
           declare::integer("cache_mb", 2048, declare::at_least(0),
                            "Decoded images up to this many megabytes (10⁶ bytes) are kept; above, "
                            "each batch decodes its own."),
           declare::text("cache_dir", "auto",
                         "Folder for decoded images, shared by all processes. \"auto\" = "
                         "$XDG_CACHE_HOME/assay or ~/.cache/assay; \"\" = none."),
           on_error_option()},
          make,
          describe};
}

}  // namespace assay
