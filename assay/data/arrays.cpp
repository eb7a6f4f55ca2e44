// Images and labels from NumPy or safetensors files, mapped into memory.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "assay/core/hash.h"
#include "assay/data/array_images.h"
#include "assay/data/dataset.h"
#include "assay/data/factors/derived_images.h"

namespace assay {
namespace {

constexpr const char* format_version =
    "arrays-1";  // part of every hash: raise it when pixels change
constexpr int64_t most_classes = int64_t{1} << 24;

/// The labels of one split: [N, columns], -1 = unknown.
struct LabelTable {
  std::string name;  // of their array
  int64_t columns = 0;
  std::vector<int64_t> values;

  std::vector<int64_t> column(int64_t k) const {
    std::vector<int64_t> out;
    for (size_t i = static_cast<size_t>(k); i < values.size(); i += static_cast<size_t>(columns))
      out.push_back(values[i]);
    return out;
  }
};

std::string full_path(const Options& options, const std::string& name, const std::string& base) {
  return (std::filesystem::path(base) / options.text(name)).string();
}

const char* images_option(Split split) { return split == Split::train ? "path" : "heldout"; }

FileArray open_images(const Options& options, Split split, const std::string& base) {
  const std::string path = full_path(options, images_option(split), base);
  if (path.ends_with(".npy")) return read_npy(path);
  if (path.ends_with(".safetensors")) return read_tensor(path, options.text("images"));
  throw options.error(images_option(split), "data.format",
                      fmt::format("{} is neither a .npy nor a .safetensors file", path),
                      "np.save(\"images.npy\", a) writes one");
}

/// The array of labels of a split; nothing if there are none.
std::optional<FileArray> open_labels(const Options& options, Split split, const std::string& base) {
  const std::string images = full_path(options, images_option(split), base);
  const bool tensors = images.ends_with(".safetensors");
  std::string option = split == Split::train ? "labels" : "heldout_labels";
  // Files differ between splits, but tensors usually have the same name in both files.
  const bool given = options.has("labels") && !options.text("labels").empty();
  if (!options.has(option) && given && tensors && !options.text("labels").ends_with(".npy"))
    option = "labels";
  if (!options.has(option)) {
    if (given)
      throw options.error("labels", "config.missing_key",
                          fmt::format("`labels` without `{}` in [{}]", option, options.where()),
                          "name the labels of both splits");
    if (!tensors || options.has("labels")) return std::nullopt;
    const auto names = tensor_names(images);
    if (std::find(names.begin(), names.end(), "labels") == names.end()) return std::nullopt;
    return read_tensor(images, "labels");
  }
  if (options.text(option).empty()) return std::nullopt;
  if (options.text(option).ends_with(".npy")) return read_npy(full_path(options, option, base));
  if (tensors) return read_tensor(images, options.text(option));
  throw options.error(option, "data.format",
                      fmt::format("{} is not a .npy file", options.text(option)),
                      "np.save(\"labels.npy\", labels) writes one");
}

template <typename Integer>
std::vector<int64_t> widened(std::span<const uint8_t> data) {
  std::vector<int64_t> out(data.size() / sizeof(Integer));
  for (size_t i = 0; i < out.size(); ++i) {
    Integer value;
    std::memcpy(&value, data.data() + i * sizeof(Integer), sizeof(Integer));
    out[i] = static_cast<int64_t>(value);
  }
  return out;
}

std::vector<int64_t> integers_of(const FileArray& array) {
  if (array.dtype == "uint8") return widened<uint8_t>(array.data);
  if (array.dtype == "int8") return widened<int8_t>(array.data);
  if (array.dtype == "uint16") return widened<uint16_t>(array.data);
  if (array.dtype == "int16") return widened<int16_t>(array.data);
  if (array.dtype == "uint32") return widened<uint32_t>(array.data);
  if (array.dtype == "int32") return widened<int32_t>(array.data);
  if (array.dtype == "uint64" || array.dtype == "int64") return widened<int64_t>(array.data);
  throw Error("data.dtype",
              fmt::format("{}: labels of {} are not integers", array.name, array.dtype),
              "np.save(path, labels.astype(np.int64))");
}

LabelTable read_labels(const std::optional<FileArray>& array, const FileArray& images) {
  if (!array) return {};
  const std::vector<int64_t>& shape = array->shape;
  if (shape.size() != 1 && shape.size() != 2)
    throw Error(
        "data.label",
        fmt::format("{}: labels have {} sides, not [N] or [N, K]", array->name, shape.size()),
        "one integer per image and factor; a one-hot row becomes labels.argmax(1)");
  if (shape[0] != images.count())
    throw Error("data.label",
                fmt::format("{} labels in {}, but {} images in {}", shape[0], array->name,
                            images.count(), images.name),
                "save the labels of the same images, in the same order");
  LabelTable table{array->name, shape.size() == 2 ? shape[1] : 1, integers_of(*array)};
  for (size_t i = 0; i < table.values.size(); ++i)
    if (table.values[i] < -1 || table.values[i] >= most_classes)
      throw Error("data.label",
                  fmt::format("{}: label {} of example {}", array->name, table.values[i],
                              static_cast<int64_t>(i) / table.columns),
                  fmt::format("labels are 0 … {}, and -1 where unknown", most_classes - 1));
  return table;
}

std::vector<Factor> factors_of(const Options& options, const LabelTable& labels) {
  std::vector<std::string> names;
  if (options.has("factors")) {
    names = options.texts("factors");
    if (static_cast<int64_t>(names.size()) != labels.columns)
      throw options.error("factors", "data.label",
                          fmt::format("{} names in `factors` for {} columns of labels",
                                      names.size(), labels.columns),
                          "one name per column");
  } else if (labels.columns == 1) {
    names = {"class"};
  } else {
    for (int64_t k = 0; k < labels.columns; ++k) names.push_back(fmt::format("label{}", k));
  }
  std::vector<Factor> factors;
  for (const std::string& name : names) {
    const auto column = labels.column(static_cast<int64_t>(factors.size()));
    const int64_t largest = column.empty() ? -1 : *std::max_element(column.begin(), column.end());
    if (largest < 0)
      throw options.error("labels", "data.label",
                          fmt::format("no label of factor `{}` is known", name),
                          "leave out `labels`, or save labels of 0 and more");
    factors.push_back({name, largest + 1, 0, "content"});
  }
  return factors;
}

DatasetInfo describe(const Options& options, const std::string& base) {
  const ArrayImages images = array_images(open_images(options, Split::train, base), options);
  DatasetInfo info;
  info.kind = "arrays";
  info.channels = images.channels;
  info.image_size = images.size;
  info.factors =
      factors_of(options, read_labels(open_labels(options, Split::train, base), images.array));
  for (Factor& factor : derived_image_factors(options, info.channels, false)) {
    for (const Factor& labelled : info.factors)
      if (labelled.name == factor.name)
        throw options.error("derived", "config.duplicate",
                            fmt::format("the labels have a factor `{}` too", factor.name),
                            "give the column of the labels another name in `factors`");
    info.factors.push_back(std::move(factor));
  }
  return info;
}

class ArraysDataset : public Dataset {
 public:
  ArraysDataset(const Options& options, Split split, const std::string& base)
      : info_(describe(options, base)),
        labelled_(info_.factors.size() -
                  (options.has("derived") ? options.texts("derived").size() : 0)),
        images_(array_images(open_images(options, split, base), options)),
        labels_(read_labels(open_labels(options, split, base), images_.array)) {
    if (std::filesystem::weakly_canonical(full_path(options, "path", base)) ==
        std::filesystem::weakly_canonical(full_path(options, "heldout", base)))
      throw options.error("heldout", "data.overlap", "`path` and `heldout` are the same file",
                          "held-out examples must not be trained on: use another file");
    if (images_.array.count() == 0)
      throw Error("data.empty", fmt::format("{} holds no image", images_.array.name),
                  "save at least one");
    if (split == Split::heldout) compare(open_images(options, Split::train, base));
    check_values(images_);
    for (size_t k = 0; k < labelled_; ++k)
      info_.factors[k].entropy_bits =
          empirical_entropy(labels_.column(static_cast<int64_t>(k)), info_.factors[k].cardinality);
    info_.hash = hash_content();
    std::function<std::vector<QuantileBins>()> of_training;
    if (split == Split::heldout)
      of_training = [&] { return ArraysDataset(options, Split::train, base).derived_->bins(); };
    const auto images = [this](std::span<const int64_t> ids) { return images_.rows(ids); };
    derived_.emplace(options, DerivedSource{size(), info_.hash, "", images, {}}, of_training,
                     info_);
  }

  const DatasetInfo& info() const override { return info_; }
  int64_t size() const override { return images_.array.count(); }

  Batch get(std::span<const int64_t> ids) const override {
    Batch batch = batch_of(ids, size());
    batch.images = images_.rows(ids);
    batch.labels = torch::empty({batch.size(), labels_.columns}, torch::kInt64);
    auto* to = batch.labels.data_ptr<int64_t>();
    for (const int64_t id : ids)
      to = std::copy_n(labels_.values.begin() + id * labels_.columns, labels_.columns, to);
    batch.labels = derived_->append(batch.labels, ids);
    return batch;
  }

 private:
  /// Held-out images and labels must be of the same kind as the training ones.
  void compare(const FileArray& train) const {
    const std::string& name = images_.array.name;
    if (images_.array.dtype != train.dtype || images_.channels != info_.channels ||
        images_.size != info_.image_size)
      throw Error(
          "data.layout",
          fmt::format("{}: {} images of {} × {} × {}, but those of {} are {} of "
                      "{} × {} × {}",
                      name, images_.array.dtype, images_.channels, images_.size, images_.size,
                      train.name, train.dtype, info_.channels, info_.image_size, info_.image_size),
          "held-out images must have dtype, channels and size of the training images");
    if (labels_.columns != static_cast<int64_t>(labelled_))
      throw Error("data.label",
                  fmt::format("{}: {} columns of labels, but {} in training", name, labels_.columns,
                              labelled_),
                  "both splits need labels of the same factors");
    for (size_t i = 0; i < labels_.values.size(); ++i) {
      const Factor& factor = info_.factors[i % labelled_];
      if (labels_.values[i] >= factor.cardinality)
        throw Error("data.label",
                    fmt::format("{}: label {} of example {} is beyond the {} values of `{}` in "
                                "training",
                                labels_.name, labels_.values[i], i / labelled_, factor.cardinality,
                                factor.name),
                    "remove the example, or save -1 as its label (unknown)");
    }
  }

  std::string hash_content() const {
    const FileArray& array = images_.array;
    const auto hash_of = [](const void* data, size_t bytes) {
      return hash_text({static_cast<const char*>(data), bytes});
    };
    std::string all = fmt::format("{}\n{}\n{} {} {} {}\n{} {} {}\n", format_version, array.dtype,
                                  images_.channels_last, images_.channels, images_.side,
                                  images_.size, images_.low, images_.high, labels_.columns);
    all += hash_of(array.data.data(), array.data.size()) + '\n';
    all += hash_of(labels_.values.data(), labels_.values.size() * sizeof(int64_t));
    return hash_text(all);
  }

  DatasetInfo info_;
  size_t labelled_;  // the first factors are columns of labels, the others derived
  ArrayImages images_;
  LabelTable labels_;
  std::optional<DerivedImages> derived_;
};

std::unique_ptr<Dataset> make(const Options& options, Split split, const std::string& base) {
  return std::make_unique<ArraysDataset>(options, split, base);
}

std::vector<Option> options() {
  std::vector<Option> out{
      declare::text("path", std::nullopt,
                    "Training images: a .npy or .safetensors file, relative to the study file; "
                    "uint8 or float32 in C order, [N, H, W], [N, H, W, C] or [N, C, H, W]."),
      declare::text("heldout", std::nullopt, "Held-out images, in another file of the same form."),
      declare::text("images", "images", "Name of the images in a .safetensors file."),
      declare::optional(declare::text(
          "labels", std::nullopt,
          "Labels of `path`, integers [N] or [N, K] (-1 = unknown): a .npy file, or the name of a "
          "tensor beside the images. Absent: tensor `labels` if there is one; \"\" = none.")),
      declare::optional(declare::text(
          "heldout_labels", std::nullopt,
          "Labels of `heldout`, in the same form. Absent: the tensor that `labels` names.")),
      declare::optional(declare::texts(
          "factors", std::nullopt,
          "Names of the columns of the labels. Absent: `class`, or `label0`, `label1`, …"))};
  for (const auto& shared : {array_image_options(), derived_image_options(false)})
    out.insert(out.end(), shared.begin(), shared.end());
  return out;
}

}  // namespace

DatasetEntry arrays_dataset() {
  return {"arrays", "Images and labels in NumPy .npy or safetensors files, scaled to -1..1.",
          options(), make, describe};
}

}  // namespace assay
