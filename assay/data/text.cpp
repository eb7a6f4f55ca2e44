// Bytes of UTF-8 files, in windows.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
#include "assay/data/factors/derived_text.h"
#include "assay/data/files.h"
#include "assay/data/utf8.h"

namespace assay {
namespace {

DatasetInfo describe(const Options& options, const std::string&) {
  DatasetInfo info;
  info.kind = "text";
  info.modality = Modality::text;
  info.window = options.integer("window");
  info.factors = derived_text_factors(options);
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
    files_ = mapped(options, of_split, base, faults_);
    std::string hashes = fmt::format("text-1\n{}\n{}\n", info_.window, faults_.skip());
    for (const MappedFile& file : files_) {
      const auto bytes = file.bytes();
      hashes += hash_text({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) + '\n';
      first_windows_.push_back(windows_.size());
      add_windows(file);
    }
    info_.hash = hash_text(hashes);
    info_.skipped = faults_.skipped();
    info_.notes = faults_.notes();
    if (windows_.empty())
      throw options.error(
          of_split, "data.empty",
          fmt::format("`{}` in [{}] holds no window of text", of_split, options.where()),
          fmt::format("{} windows or files were skipped", info_.skipped));
    if (!info_.factors.empty()) derive(options, split, base);
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
    const size_t columns = info_.factors.size();
    batch.labels = torch::empty({count, static_cast<int64_t>(columns)}, torch::kInt64);
    auto* label = batch.labels.data_ptr<int64_t>();
    for (size_t row = 0; columns > 0 && row < ids.size(); ++row, label += columns)
      factors().label(place_of(static_cast<size_t>(ids[row])), label);
    return batch;
  }

 private:
  static std::vector<MappedFile> mapped(const Options& options, const std::string& of_split,
                                        const std::string& base, Faults& faults) {
    std::vector<MappedFile> files;
    for (const std::string& path : input_files(options, of_split, base, faults)) try {
        files.emplace_back(path);
      } catch (const Error& error) {
        faults.report(error);
      }
    return files;
  }

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

  /// Factors are fitted on training windows by the training split, which the held-out one keeps
  /// for that.
  void derive(const Options& options, Split split, const std::string& base) {
    if (split == Split::heldout) {
      training_ = std::make_unique<TextDataset>(options, Split::train, base);
      files_before_ = training_->files_.size();
    } else {
      Faults unseen(faults_.skip());  // the held-out split reports its own
      others_ = mapped(options, "heldout", base, unseen);
      std::vector<TextFile> files;
      for (const std::vector<MappedFile>* of_split : {&files_, &others_})
        for (const MappedFile& file : *of_split) files.push_back({file.path(), file.bytes()});
      std::vector<TextWindow> sample;
      for (const size_t id : sampled()) sample.push_back(place_of(id));
      factors_.emplace(options, std::move(files), sample);
    }
    describe_factors();
    info_.hash = hash_text(info_.hash + '\n' + factors().hash());
  }

  void describe_factors() {
    const size_t columns = info_.factors.size();
    const std::vector<size_t> ids = sampled();
    std::vector<int64_t> labels(ids.size() * columns);
    for (size_t i = 0; i < ids.size(); ++i)
      factors().label(place_of(ids[i]), labels.data() + i * columns);
    for (size_t k = 0; k < columns; ++k) {
      std::vector<int64_t> column;
      for (size_t i = k; i < labels.size(); i += columns) column.push_back(labels[i]);
      info_.factors[k].cardinality = factors().cardinality(k);
      info_.factors[k].entropy_bits = empirical_entropy(column, info_.factors[k].cardinality);
    }
  }

  /// Windows that factors are fitted on and entropies taken from: all, or this many, evenly spread
  /// (at 100,000 a share of 1/8 is known to 1%).
  std::vector<size_t> sampled() const {
    const size_t count = std::min<size_t>(windows_.size(), 100'000);
    std::vector<size_t> ids(count);
    for (size_t i = 0; i < count; ++i) ids[i] = i * windows_.size() / count;
    return ids;
  }

  TextWindow place_of(size_t id) const {
    const auto next = std::upper_bound(first_windows_.begin(), first_windows_.end(), id);
    const auto file = static_cast<size_t>(next - first_windows_.begin()) - 1;
    return {files_before_ + file, static_cast<size_t>(windows_[id] - files_[file].bytes().data()),
            static_cast<size_t>(info_.window)};
  }

  const TextFactors& factors() const { return training_ ? *training_->factors_ : *factors_; }

  DatasetInfo info_;
  Faults faults_;
  std::vector<MappedFile> files_;
  std::vector<const uint8_t*> windows_;  // first byte of each, inside the mapped files
  std::vector<size_t> first_windows_;    // of each file
  // Only with derived factors:
  std::vector<MappedFile> others_;         // of the held-out split, in the training split
  std::optional<TextFactors> factors_;     // in the training split
  std::unique_ptr<TextDataset> training_;  // in the held-out split
  size_t files_before_ = 0;                // how many files of TextFactors stand before files_
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<TextDataset>(options, split, base);
}

std::vector<Option> options() {
  std::vector<Option> out{
      paths_option("path",
                   "Training text: a path, a pattern such as \"books/*.txt\", or a list; "
                   "relative to the study file."),
      paths_option("heldout", "Held-out text, in the same form; no file of `path`."),
      declare::integer("window", 64, declare::closed(1, 1 << 20), "Bytes predicted per example."),
      on_error_option()};
  const std::vector<Option> derived = derived_text_options();
  out.insert(out.end(), derived.begin(), derived.end());
  return out;
}

}  // namespace

DatasetEntry text_dataset() {
  return {"text", "UTF-8 files, bytes as tokens, in windows that share only a border byte.",
          options(), make, describe};
}

}  // namespace assay
