// Bytes of UTF-8 files, in windows.
#include <fmt/format.h>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
#include "assay/data/files.h"
#include "assay/data/utf8.h"

namespace assay {
namespace {

DatasetInfo describe(const Options& options, const std::string&) {
  DatasetInfo info;
  info.kind = "text";
  info.modality = Modality::text;
  info.window = options.integer("window");
  return info;
}

/// Example k is bytes [kT, kT + T] of its file: T inputs and T targets from T + 1 bytes, so the
/// last byte of a window is the first of the next and every byte but a file's first is a target
/// once.
class TextDataset : public Dataset {
 public:
  TextDataset(const Options& options, Split split, const std::string& base)
      : info_(describe(options, {})), faults_(options.text("on_error") == "skip") {
    refuse_overlap(options, base);
    const std::string of_split = split == Split::train ? "path" : "heldout";
    std::string hashes = fmt::format("text-1\n{}\n{}\n", info_.window, faults_.skip());
    for (const std::string& path : input_files(options, of_split, base, faults_)) {
      try {
        files_.emplace_back(path);
      } catch (const Error& error) {
        faults_.report(error);
        continue;
      }
      const auto bytes = files_.back().bytes();
      hashes += hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + '\n';
      add_windows(files_.back());
    }
    info_.hash = hash_text(hashes);
    info_.skipped = faults_.skipped();
    info_.notes = faults_.notes();
    if (windows_.empty())
      throw options.error(
          of_split, "data.empty",
          fmt::format("`{}` in [{}] holds no window of text", of_split, options.where()),
          fmt::format("{} windows or files were skipped", info_.skipped));
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return static_cast<int64_t>(windows_.size()); }

  Batch get(std::span<const int64_t> ids) const override {
    Batch batch = batch_of(ids, size());
    const int64_t count = batch.size();
    batch.bytes = torch::empty({count, info_.window + 1}, torch::kInt64);
    auto* to = batch.bytes.data_ptr<int64_t>();
    for (const int64_t id : ids)
      to = std::copy_n(windows_[static_cast<size_t>(id)], info_.window + 1, to);
    batch.labels = torch::empty({count, 0}, torch::kInt64);
    return batch;
  }

 private:
  void add_windows(const MappedFile& file) {
    const auto bytes = file.bytes();
    const auto window = static_cast<size_t>(info_.window);
    if (bytes.size() < window + 1)
      return faults_.report(Error("data.too_short",
                                  fmt::format("{}: {} bytes are fewer than one window of {} + 1",
                                              file.path(), bytes.size(), window),
                                  "a shorter `window`, or a longer text"));
    std::optional<size_t> invalid = first_invalid_utf8(bytes);
    for (size_t start = 0; start + window < bytes.size(); start += window) {
      if (!invalid || *invalid > start + window) {
        windows_.push_back(bytes.data() + start);
        continue;
      }
      faults_.report(Error("data.utf8",
                           fmt::format("{}: byte {} (0x{:02x}) is not UTF-8", file.path(), *invalid,
                                       bytes[*invalid]),
                           "convert the file with iconv, or set on_error = \"skip\" to leave out "
                           "its windows"));
      // The next window begins with the last byte of this one, which may be the wrong one.
      while (invalid && *invalid < start + window)
        invalid = first_invalid_utf8(bytes, *invalid + 1);
    }
  }

  DatasetInfo info_;
  Faults faults_;
  std::vector<MappedFile> files_;
  std::vector<const uint8_t*> windows_;  // first byte of each, inside the mapped files
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<TextDataset>(options, split, base);
}

}  // namespace

DatasetEntry text_dataset() {
  return {
      "text",
      "UTF-8 files, bytes as tokens, in windows that share only a border byte.",
      {paths_option("path",
                    "Training text: a path, a pattern such as \"books/*.txt\", or a list; "
                    "relative to the study file."),
       paths_option("heldout", "Held-out text, in the same form; no file of `path`."),
       declare::integer("window", 64, declare::closed(1, 1 << 20), "Bytes predicted per example."),
       on_error_option()},
      make,
      describe};
}

}  // namespace assay
