// All parameters and all gradients of an objective as two flat buffers.
#include "assay/train/flat_parameters.h"

#include <fmt/format.h>

#include <cstdlib>
#include <new>
#include <unordered_set>

#include "assay/stats/kernels.h"

namespace assay {
namespace {

constexpr std::string_view kLayerPrefix = "trunk.layers.";

/// "layer.3" for "trunk.layers.3.qkv.weight", empty for others.
std::string layer_of(const std::string& name) {
  if (name.rfind(kLayerPrefix, 0) != 0) return {};
  const size_t begin = kLayerPrefix.size();
  return fmt::format("layer.{}", name.substr(begin, name.find('.', begin) - begin));
}

void extend(std::vector<Group>& groups, const std::string& name, int64_t begin, int64_t end) {
  for (Group& group : groups) {
    if (group.name != name) continue;
    if (group.end != begin)
      throw Error("internal.parameter_order",
                  fmt::format("parameters of `{}` do not stand in one range", name));
    group.end = end;
    return;
  }
  groups.push_back({name, begin, end});
}

/// Zeros from calloc: pages that nobody writes to take no memory. Who measures gradients puts them
/// elsewhere, and keeps the room for one of them.
Tensor untouched_zeros(int64_t count, const torch::TensorOptions& options) {
  if (!options.device().is_cpu()) return torch::zeros({count}, options);
  const size_t bytes = static_cast<size_t>(count) * options.dtype().itemsize();
  void* zeros = std::calloc(std::max<size_t>(1, bytes), 1);
  if (!zeros) throw std::bad_alloc();
  return torch::from_blob(
      zeros, {count}, [](void* data) { std::free(data); }, options);
}

}  // namespace

std::vector<std::pair<std::string, Tensor>> trained_parameters(Objective& objective) {
  std::vector<std::pair<std::string, Tensor>> trained;
  std::unordered_set<const void*> seen;
  for (const auto& item : objective.named_parameters())
    if (item.value().requires_grad() && seen.insert(item.value().unsafeGetTensorImpl()).second)
      trained.emplace_back(item.key(), item.value());
  return trained;
}

FlatParameters::FlatParameters(Objective& objective) {
  int64_t total = 0;
  for (const auto& item : trained_parameters(objective)) total += item.second.numel();
  const auto options = objective.parameters().front().options().requires_grad(false);
  values_ = torch::empty({total}, options);
  gradients_ = untouched_zeros(total, options);

  torch::NoGradGuard no_grad;
  int64_t at = 0;
  std::vector<Group> layers;
  for (auto& [name, parameter] : trained_parameters(objective)) {
    const int64_t end = at + parameter.numel();
    Tensor view = values_.slice(0, at, end).view(parameter.sizes());
    view.copy_(parameter);
    parameter.set_data(view);
    parameters_.push_back(parameter);
    views_.push_back(gradients_.slice(0, at, end).view(parameter.sizes()));
    parameter.mutable_grad() = views_.back();
    entries_.push_back({name, parameter.sizes().vec(), at, end, parameter.dim() >= 2});
    extend(groups_, name.rfind("trunk.", 0) == 0 ? "trunk" : "head", at, end);
    if (const std::string layer = layer_of(name); !layer.empty()) extend(layers, layer, at, end);
    at = end;
  }
  groups_.insert(groups_.end(), layers.begin(), layers.end());
}

void FlatParameters::differentiate(const Tensor& loss, bool keep_graph) {
  const auto own = torch::autograd::grad({loss}, parameters_, {}, keep_graph, false, true);
  torch::NoGradGuard no_grad;
  for (size_t i = 0; i < views_.size(); ++i)
    if (own[i].defined())
      views_[i].copy_(own[i]);
    else
      views_[i].zero_();
}

void FlatParameters::differentiate(const Tensor& loss, bool keep_graph, std::span<float> out) {
  const auto own = torch::autograd::grad({loss}, parameters_, {}, keep_graph, false, true);
  for (size_t i = 0; i < own.size(); ++i) {
    const auto begin = static_cast<size_t>(entries_[i].begin);
    const std::span<float> into = out.subspan(begin, static_cast<size_t>(entries_[i].end) - begin);
    if (!own[i].defined()) {
      std::fill(into.begin(), into.end(), 0.0f);
      continue;
    }
    const Tensor gradient = own[i].to(torch::kFloat32).contiguous();
    std::copy_n(gradient.data_ptr<float>(), into.size(), into.begin());
  }
}

void FlatParameters::accumulate(const Tensor& loss, const GroupLayout& layout, std::span<float> sum,
                                std::span<double> squared_norms) {
  const auto own = torch::autograd::grad({loss}, parameters_, {}, false, false, true);
  std::vector<double> by_segment(static_cast<size_t>(layout.segments()));
  int64_t segment = 0;  // groups consist of whole parameters, so no parameter lies in two segments
  for (size_t i = 0; i < own.size(); ++i) {
    const Entry& entry = entries_[i];
    while (entry.begin >= layout.end(segment)) ++segment;
    if (!own[i].defined()) continue;
    const Tensor gradient = own[i].contiguous();
    const auto length = static_cast<size_t>(entry.end - entry.begin);
    by_segment[static_cast<size_t>(segment)] +=
        accumulate_and_norm(sum.subspan(static_cast<size_t>(entry.begin), length),
                            {gradient.data_ptr<float>(), length});
  }
  layout.fold(by_segment, squared_norms);
}

std::span<float> FlatParameters::value_span() const {
  return {values_.data_ptr<float>(), static_cast<size_t>(values_.numel())};
}

std::span<float> FlatParameters::gradient_span() const {
  return {gradients_.data_ptr<float>(), static_cast<size_t>(gradients_.numel())};
}

}  // namespace assay
