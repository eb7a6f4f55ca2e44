// checkpoint.safetensors and snapshots/<step>.safetensors.
#include "assay/train/checkpoint.h"

#include <fmt/format.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "assay/store/safetensors.h"

namespace assay {
namespace {

float* at(const NamedBuffer& buffer, const FlatParameters::Entry& entry) {
  return buffer.values.data_ptr<float>() + entry.begin;
}

size_t bytes_of(const FlatParameters::Entry& entry) {
  return static_cast<size_t>(entry.end - entry.begin) * sizeof(float);
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, const FlatParameters& flat,
                     const std::vector<NamedBuffer>& buffers, const ObjectiveState& objective,
                     const nlohmann::json& state) {
  std::vector<StoredTensor> tensors;
  for (const NamedBuffer& buffer : buffers) {
    for (const auto& entry : flat.entries()) {
      const auto* data = reinterpret_cast<const std::byte*>(at(buffer, entry));
      tensors.push_back({fmt::format("{}.{}", buffer.prefix, entry.name),
                         "F32",
                         entry.shape,
                         {data, bytes_of(entry)}});
    }
  }
  std::vector<Tensor> kept;  // until the file is written
  for (const auto& [name, tensor] : objective) {
    kept.push_back(tensor.detach().to(torch::kCPU).contiguous());
    const auto* data = reinterpret_cast<const std::byte*>(kept.back().data_ptr<float>());
    tensors.push_back(
        {fmt::format("state.{}", name), "F32", tensor.sizes().vec(), {data, kept.back().nbytes()}});
  }
  write_safetensors(path, tensors, {{"assay", state.dump()}});
}

namespace {

const StoredTensor& stored_tensor(const SafetensorsFile& file, const std::filesystem::path& path,
                                  const std::string& name, const std::vector<int64_t>& shape) {
  const StoredTensor* stored = file.find(name);
  if (!stored || stored->shape != shape || stored->dtype != "F32")
    throw Error("store.corrupt",
                fmt::format("{}: tensor `{}` is missing or has another shape", path.string(), name),
                "remove the trial's folder to train it again");
  return *stored;
}

}  // namespace

nlohmann::json load_checkpoint(const std::filesystem::path& path, const FlatParameters& flat,
                               const std::vector<NamedBuffer>& buffers,
                               const ObjectiveState& objective) {
  const SafetensorsFile file(path);
  for (const NamedBuffer& buffer : buffers)
    for (const auto& entry : flat.entries()) {
      const auto& stored =
          stored_tensor(file, path, fmt::format("{}.{}", buffer.prefix, entry.name), entry.shape);
      std::memcpy(at(buffer, entry), stored.data.data(), bytes_of(entry));
    }
  const torch::NoGradGuard no_gradient;
  for (const auto& [name, tensor] : objective) {
    const auto& stored =
        stored_tensor(file, path, fmt::format("state.{}", name), tensor.sizes().vec());
    const Tensor values = torch::empty(tensor.sizes(), torch::kFloat32);
    std::memcpy(values.data_ptr<float>(), stored.data.data(), values.nbytes());
    Tensor into = tensor;
    into.copy_(values);
  }
  const auto it = file.metadata().find("assay");
  if (it == file.metadata().end())
    throw Error("store.corrupt", fmt::format("{}: no state in its metadata", path.string()),
                "remove the trial's folder to train it again");
  return nlohmann::json::parse(it->second);
}

}  // namespace assay
