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
                     const std::vector<NamedBuffer>& buffers, const nlohmann::json& state) {
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
  write_safetensors(path, tensors, {{"assay", state.dump()}});
}

nlohmann::json load_checkpoint(const std::filesystem::path& path, const FlatParameters& flat,
                               const std::vector<NamedBuffer>& buffers) {
  const SafetensorsFile file(path);
  for (const NamedBuffer& buffer : buffers) {
    for (const auto& entry : flat.entries()) {
      const std::string name = fmt::format("{}.{}", buffer.prefix, entry.name);
      const StoredTensor* stored = file.find(name);
      if (!stored || stored->shape != entry.shape || stored->dtype != "F32")
        throw Error(
            "store.corrupt",
            fmt::format("{}: tensor `{}` is missing or has another shape", path.string(), name),
            "remove the trial's folder to train it again");
      std::memcpy(at(buffer, entry), stored->data.data(), bytes_of(entry));
    }
  }
  const auto it = file.metadata().find("assay");
  if (it == file.metadata().end())
    throw Error("store.corrupt", fmt::format("{}: no state in its metadata", path.string()),
                "remove the trial's folder to train it again");
  return nlohmann::json::parse(it->second);
}

}  // namespace assay
