// From options to labels.
#include "assay/tensor/torch.h"

#include "assay/data/factors/derived_images.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "assay/core/hash.h"
#include "assay/data/factors/derived_options.h"
#include "assay/data/factors/image_statistics.h"
#include "assay/data/factors/statistic_table.h"

namespace assay {
namespace {

constexpr const char* kVersion = "derived-1";  // part of every hash: raise it when a value changes

const ImageStatistic* find_image(const std::string& name) {
  for (const ImageStatistic& statistic : image_statistics())
    if (statistic.name == name) return &statistic;
  return nullptr;
}

const BoxStatistic* find_box(const std::string& name) {
  for (const BoxStatistic& statistic : box_statistics())
    if (statistic.name == name) return &statistic;
  return nullptr;
}

std::vector<DerivedChoice> choices(bool boxes) {
  std::vector<DerivedChoice> out;
  for (const auto& s : image_statistics()) out.push_back({s.name, s.kind, s.summary});
  if (boxes)
    for (const auto& s : box_statistics()) out.push_back({s.name, s.kind, s.summary});
  return out;
}

StatisticTable statistics_of(const std::vector<std::string>& names, const DerivedSource& source) {
  const auto columns = static_cast<int64_t>(names.size());
  const bool pixels = std::any_of(names.begin(), names.end(),
                                  [](const std::string& name) { return find_image(name); });
  const bool box = std::any_of(names.begin(), names.end(),
                               [](const std::string& name) { return find_box(name); });
  const std::vector<std::optional<BoxPlace>> places =
      box ? source.boxes() : std::vector<std::optional<BoxPlace>>();
  const auto fill = [&](int64_t begin, int64_t count, std::span<double> to) {
    std::vector<int64_t> ids;
    for (int64_t i = 0; i < count; ++i) ids.push_back(begin + i);
    const Tensor images = pixels ? source.images(ids).contiguous() : Tensor();
    auto value = to.begin();
    for (int64_t i = 0; i < count; ++i) {
      std::optional<PictureView> picture;
      if (pixels) {
        const Tensor one = images[i];
        picture.emplace(std::span(one.data_ptr<float>(), static_cast<size_t>(one.numel())),
                        one.size(0), one.size(1));
      }
      for (const std::string& name : names) {
        if (const ImageStatistic* statistic = find_image(name)) {
          *value++ = statistic->of(*picture);
        } else {
          const auto& place = places.at(static_cast<size_t>(begin + i));
          *value++ = place ? find_box(name)->of(*place) : NAN;
        }
      }
    }
  };
  return compute_statistics(source.size, columns, fill);
}

}  // namespace

std::vector<Option> derived_image_options(bool boxes) { return derived_options(choices(boxes)); }

std::vector<Factor> derived_image_factors(const Options& options, int64_t channels, bool boxes) {
  std::vector<Factor> factors;
  for (const std::string& name : derived_names(options, choices(boxes))) {
    const ImageStatistic* of_pixels = find_image(name);
    if (of_pixels && of_pixels->needs_colour && channels != 3)
      throw options.error("derived", "config.factor",
                          fmt::format("factor `{}` needs red, green and blue, the images have {} "
                                      "channel{}",
                                      name, channels, channels == 1 ? "" : "s"),
                          fmt::format("leave `{}` out of `derived`", name));
    const std::string_view kind = of_pixels ? of_pixels->kind : find_box(name)->kind;
    factors.push_back({name, derived_bins(options), 0, std::string(kind)});
  }
  return factors;
}

DerivedImages::DerivedImages(const Options& options, const DerivedSource& source,
                             const std::function<std::vector<QuantileBins>()>& of_training,
                             DatasetInfo& info)
    : rows_(source.size) {
  if (!options.has("derived")) return;
  names_ = options.texts("derived");
  const std::string key =
      hash_text(fmt::format("{}\n{}\n{}", kVersion, source.hash, fmt::join(names_, "\n")));
  std::string note;
  const StatisticTable table = cached_statistics(
      source.folder.empty() ? "" : fmt::format("{}/statistics-{}.safetensors", source.folder, key),
      source.size, static_cast<int64_t>(names_.size()),
      [&] { return statistics_of(names_, source); }, note);
  if (!note.empty()) info.notes.push_back(note);
  if (of_training) {
    bins_ = of_training();
  } else {
    for (size_t k = 0; k < names_.size(); ++k)
      bins_.emplace_back(table.column(static_cast<int64_t>(k)), derived_bins(options), names_[k]);
  }
  for (size_t i = 0; i < table.values.size(); ++i)
    labels_.push_back(bins_[i % names_.size()].of(table.values[i]));
  fill_in(info);
}

void DerivedImages::fill_in(DatasetInfo& info) const {
  std::string all = fmt::format("{}\n{}\n", info.hash, kVersion);
  const size_t first = info.factors.size() - names_.size();
  for (size_t k = 0; k < names_.size(); ++k) {
    std::vector<int64_t> column;
    for (size_t i = k; i < labels_.size(); i += names_.size()) column.push_back(labels_[i]);
    Factor& factor = info.factors[first + k];
    factor.entropy_bits = empirical_entropy(column, factor.cardinality);
    all += fmt::format("{} {}\n", names_[k], fmt::join(bins_[k].edges(), " "));
  }
  info.hash = hash_text(all);
}

Tensor DerivedImages::append(const Tensor& labels, std::span<const int64_t> ids) const {
  if (names_.empty()) return labels;
  const auto columns = static_cast<int64_t>(names_.size());
  Tensor own = torch::empty({static_cast<int64_t>(ids.size()), columns}, torch::kInt64);
  auto* to = own.data_ptr<int64_t>();
  for (const int64_t id : ids) to = std::copy_n(labels_.begin() + id * columns, columns, to);
  return torch::cat({labels, own}, 1);
}

}  // namespace assay
