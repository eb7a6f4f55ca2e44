// Images in one subfolder per class: the convention of torchvision's ImageFolder.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "assay/core/hash.h"
#include "assay/data/dataset.h"
#include "assay/data/labelled_images.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

constexpr const char* format_version =
    "folder-1";  // part of every hash: raise it when pixels change

fs::path root_of(const Options& options, const std::string& name, const std::string& base) {
  const fs::path root = (fs::path(base) / options.text(name)).lexically_normal();
  return root.has_filename() ? root : root.parent_path();  // without a slash at its end
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

/// Names of the subfolders in byte order; a hidden one (.git, .ipynb_checkpoints) is no class.
std::vector<std::string> subfolders(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(root, problem))
    if (entry.is_directory() && !hidden(entry.path()))
      names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> classes_of(const Options& options, const std::string& name,
                                    const std::string& base) {
  const fs::path root = root_of(options, name, base);
  if (!fs::is_directory(root))
    throw options.error(name, "data.missing_file", fmt::format("{} is not a folder", root.string()),
                        "relative paths start from the folder of the study file");
  std::vector<std::string> names = subfolders(root);
  if (names.empty())
    throw options.error(name, "data.empty", fmt::format("{} has no subfolder", root.string()),
                        "the images of each class lie in a subfolder of its name");
  return names;
}

bool is_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

DatasetInfo describe(const Options& options, const std::string& base) {
  DatasetInfo info;
  info.kind = "folder";
  info.channels = 3;
  info.image_size = options.integer("size");
  const auto classes = static_cast<int64_t>(subfolders(root_of(options, "path", base)).size());
  info.factors = {{"class", classes, 0, "content"}};
  for (Factor& factor : derived_image_factors(options, info.channels, false))
    info.factors.push_back(std::move(factor));
  return info;
}

class FolderDataset : public Dataset {
 public:
  FolderDataset(const Options& options, Split split, const std::string& base)
      : info_(describe(options, base)), faults_(options.text("on_error") == "skip") {
    refuse_nesting(options, base);
    const std::string of_split = split == Split::train ? "path" : "heldout";
    root_ = root_of(options, of_split, base);
    const std::vector<std::string> classes = classes_of(options, "path", base);
    for (const std::string& name : classes_of(options, of_split, base))
      list_class(name, classes, options, of_split);
    hash_content(classes);
    images_.emplace(options, of_split, source(), faults_, info_);
    samples_.clear();
    if (ignored_ > 0)
      info_.notes.push_back(
          fmt::format("{} files in {} are neither .jpg, .jpeg nor .png (one is {})", ignored_,
                      root_.string(), ignored_example_));
    count_classes(*images_, info_);
    std::function<std::vector<QuantileBins>()> of_training;
    if (split == Split::heldout)
      of_training = [&] { return FolderDataset(options, Split::train, base).derived_->bins(); };
    derived_.emplace(options, images_->derived_source(options, info_), of_training, info_);
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return images_->size(); }
  Batch get(std::span<const int64_t> ids) const override {
    Batch batch = images_->get(ids, true);
    batch.labels = derived_->append(batch.labels, ids);
    return batch;
  }

 private:
  static void refuse_nesting(const Options& options, const std::string& base) {
    const auto canonical = [&](const std::string& name) {
      return fs::weakly_canonical(root_of(options, name, base)).string() + "/";
    };
    const std::string train = canonical("path"), heldout = canonical("heldout");
    if (train.starts_with(heldout) || heldout.starts_with(train))
      throw options.error("heldout", "data.overlap",
                          fmt::format("{} and {} share images", train, heldout),
                          "held-out examples must not be trained on: use two separate folders");
  }

  /// Paths below root_ of the pictures in one subfolder, at any depth, in byte order.
  std::vector<std::string> pictures_below(const fs::path& folder) {
    std::vector<std::string> keys;
    try {
      constexpr auto links = fs::directory_options::follow_directory_symlink;
      for (const auto& entry : fs::recursive_directory_iterator(folder, links)) {
        if (!entry.is_regular_file() || hidden(entry.path())) continue;
        const std::string key = entry.path().lexically_relative(root_).string();
        if (is_picture(entry.path()))
          keys.push_back(key);
        else if (ignored_++ == 0)
          ignored_example_ = key;
      }
    } catch (const fs::filesystem_error& error) {  // no permission, or a link to a folder above
      faults_.report(
          Error("data.missing_file",
                fmt::format("cannot list {}: {}", folder.string(), error.code().message()),
                "check permissions and links, or set on_error = \"skip\""));
    }
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  /// Appends the samples of one subfolder.
  void list_class(const std::string& name, const std::vector<std::string>& classes,
                  const Options& options, const std::string& of_split) {
    const auto found = std::find(classes.begin(), classes.end(), name);
    if (found == classes.end())
      return faults_.report(options.error(
          of_split, "data.label",
          fmt::format("{} is a class that `path` does not have", (root_ / name).string()),
          "rename or remove the subfolder, or set on_error = \"skip\" to leave out its images"));
    std::vector<std::string> keys = pictures_below(root_ / name);
    if (keys.empty())
      faults_.report(options.error(of_split, "data.empty",
                                   fmt::format("{} holds no image", (root_ / name).string()),
                                   "put .jpg, .jpeg or .png files there, or remove the subfolder"));
    for (std::string& key : keys)
      samples_.push_back({0, std::move(key), 0, 0, static_cast<int32_t>(found - classes.begin())});
  }

  /// Of every file's path and bytes, so that a copy elsewhere is the same data.
  void hash_content(const std::vector<std::string>& classes) {
    std::string all = fmt::format("{}\n{}\n{}\n", format_version, info_.image_size, faults_.skip());
    for (const std::string& name : classes) all += name + '\n';
    for (const Sample& sample : samples_) all += sample.key + '\t' + hash_of(sample) + '\n';
    info_.hash = hash_text(all);
  }

  std::string hash_of(const Sample& sample) const {
    try {
      const MappedFile file((root_ / sample.key).string());
      return hash_text({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()});
    } catch (const Error&) {
      return "unreadable";  // decoding it reports why
    }
  }

  ImageSource source() {
    return {[this](Faults&) { return samples_; },
            [root = root_](const Sample& sample, int size, std::span<uint8_t> out) {
              const MappedFile file((root / sample.key).string());
              decode_named(file.bytes(), file.path(), size, out);
            }};
  }

  DatasetInfo info_;
  Faults faults_;
  fs::path root_;
  std::vector<Sample> samples_;  // until images_ has them
  int64_t ignored_ = 0;
  std::string ignored_example_;
  std::optional<LabelledImages> images_;
  std::optional<DerivedImages> derived_;
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<FolderDataset>(options, split, base);
}

std::vector<Option> options() {
  std::vector<Option> out{
      declare::text("path", std::nullopt,
                    "Folder of the training images, with one subfolder per class (in byte order of "
                    "their names); relative to the study file."),
      declare::text("heldout", std::nullopt,
                    "Folder of the held-out images, in the same form; its classes are among those "
                    "of `path`.")};
  for (const auto& shared : {image_file_options(), derived_image_options(false)})
    out.insert(out.end(), shared.begin(), shared.end());
  return out;
}

}  // namespace

DatasetEntry folder_dataset() {
  return {"folder",
          "JPEG or PNG images in one subfolder per class, area-averaged to one size, in -1..1.",
          options(), make, describe};
}

}  // namespace assay
