// Cache on disk, decoding into memory, decoding each batch: in this order.
#include "assay/data/labelled_images.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace assay {
namespace {

double bytes_of(size_t count, int64_t size) {
  return static_cast<double>(count) * 3 * std::pow(size, 2);
}

}  // namespace

std::vector<Option> image_file_options() {
  return {declare::integer("size", 32, declare::closed(4, 4096),
                           "Side of the square images, in pixels; the centre is cropped and "
                           "averaged over areas."),
          declare::integer("cache_mb", 2048, declare::at_least(0),
                           "Decoded images up to this many megabytes (10⁶ bytes) are kept; above, "
                           "each batch decodes its own."),
          declare::text("cache_dir", "auto",
                        "Folder for decoded images, shared by all processes. \"auto\" = "
                        "$XDG_CACHE_HOME/assay or ~/.cache/assay; \"\" = none."),
          on_error_option()};
}

LabelledImages::LabelledImages(const Options& options, const std::string& split, ImageSource source,
                               Faults& faults, DatasetInfo& info)
    : source_(std::move(source)) {
  images_.size = static_cast<int>(options.integer("size"));
  load(static_cast<double>(options.integer("cache_mb")) * 1e6,
       cache_folder(options.text("cache_dir")), faults, info);
  if (images_.count == 0)
    throw options.error(split, "data.empty",
                        fmt::format("`{}` in [{}] holds no image", split, options.where()),
                        fmt::format("{} entries were skipped", info.skipped));
}

void LabelledImages::load(double most_bytes, const std::string& folder, Faults& faults,
                          DatasetInfo& info) {
  const std::string path = folder.empty() ? "" : fmt::format("{}/images-{}.bin", folder, info.hash);
  std::optional<CacheLock> lock;
  if (!path.empty()) {
    if (use_cache(path, most_bytes, info)) return;
    lock.emplace(path + ".lock");
    if (use_cache(path, most_bytes, info)) return;  // another worker has just made it
  }
  samples_ = source_.list(faults);
  const int size = images_.size;
  const bool keep = bytes_of(samples_.size(), size) <= most_bytes;
  if (keep || faults.skip()) {
    images_ = decode_all(source_.decode, samples_, size, faults, keep);
  } else {
    images_.count = static_cast<int64_t>(samples_.size());
    for (const Sample& sample : samples_) images_.labels.push_back(sample.label);
  }
  if (!keep) images_.pixels = nullptr;
  images_.skipped = info.skipped = faults.skipped();
  images_.notes = info.notes = faults.notes();
  if (!keep)
    info.notes.push_back(fmt::format(
        "not cached: {} images take {:.0f} MB, more than cache_mb; each batch decodes its own",
        images_.count, bytes_of(samples_.size(), size) / 1e6));
  if (keep && !path.empty()) save(path, info);
}

bool LabelledImages::use_cache(const std::string& path, double most_bytes, DatasetInfo& info) {
  std::optional<DecodedImages> found = load_decoded(path);
  if (!found || bytes_of(static_cast<size_t>(found->count), found->size) > most_bytes) return false;
  images_ = std::move(*found);
  info.skipped = images_.skipped;
  info.notes = images_.notes;
  from_cache_ = true;
  return true;
}

void LabelledImages::save(const std::string& path, DatasetInfo& info) {
  try {
    save_decoded(path, images_);
    // From here on the pages are shared with every other process that maps the file.
    if (auto mapped = load_decoded(path)) images_ = std::move(*mapped);
  } catch (const Error& error) {
    info.notes.push_back(fmt::format("decoded images not kept on disk: {}", error.what()));
  }
}

Batch LabelledImages::get(std::span<const int64_t> ids, bool with_labels) const {
  Batch batch = batch_of(ids, size());
  Tensor pixels = torch::empty({batch.size(), 3, images_.size, images_.size}, torch::kUInt8);
  batch.labels = torch::empty({batch.size(), with_labels ? 1 : 0}, torch::kInt64);
  auto* to = pixels.data_ptr<uint8_t>();
  auto* label = batch.labels.data_ptr<int64_t>();
  const size_t each = images_.image_bytes();
  for (const int64_t id : ids) {
    const auto row = static_cast<size_t>(id);
    if (images_.pixels)
      std::memcpy(to, images_.pixels + row * each, each);
    else
      source_.decode(samples_[row], images_.size, {to, each});
    to += each;
    if (with_labels) *label++ = images_.labels[row];
  }
  batch.images = pixels.to(torch::kFloat32).div_(127.5).sub_(1);
  return batch;
}

DerivedSource LabelledImages::derived_source(const Options& options,
                                             const DatasetInfo& info) const {
  return {size(),
          info.hash,
          cache_folder(options.text("cache_dir")),
          [this](std::span<const int64_t> ids) { return get(ids, false).images; },
          {}};
}

void count_classes(const LabelledImages& images, DatasetInfo& info) {
  const std::vector<int64_t> labels(images.labels().begin(), images.labels().end());
  info.factors[0].entropy_bits = empirical_entropy(labels, info.factors[0].cardinality);
}

}  // namespace assay
