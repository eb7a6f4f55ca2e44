// Everything that decides whether two runs can agree bit for bit.
#include "assay/tensor/torch.h"

#include "assay/study/environment.h"

#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/core/version.h"
#include "assay/store/files.h"

namespace assay {
namespace {

std::string cpu_model() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

nlohmann::json data_hashes(const std::string& train, const std::string& heldout) {
  return {{"train", train}, {"heldout", heldout}};
}

}  // namespace

void check_data(const std::filesystem::path& folder, const std::string& train_hash,
                const std::string& heldout_hash) {
  const auto before = nlohmann::json::parse(read_file(folder / "environment.json"));
  const auto now = data_hashes(train_hash, heldout_hash);
  if (before.at("data") != now)
    throw Error("data.changed",
                fmt::format("the data of this trial changed since it was started: content hash {} "
                            "then, {} now",
                            before.at("data").dump(), now.dump()),
                "restore the data, or remove the trial's folder to train it again");
}

nlohmann::json environment() {
  nlohmann::json variables = nlohmann::json::object();
  for (const char* name : {"MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ATEN_CPU_CAPABILITY",
                           "DNNL_MAX_CPU_ISA", "OMP_NUM_THREADS", "MKL_NUM_THREADS"})
    variables[name] = variable(name);
  return {{"assay", kVersion},
          {"build", kBuild},
          {"compiler", __VERSION__},
          {"torch", ASSAY_TORCH_VERSION},
          {"device", "cpu"},
          {"cpu", cpu_model()},
          {"cpu_capability", at::get_cpu_capability()},
          {"threads", at::get_num_threads()},
          {"variables", variables}};
}

std::vector<std::string> record_environment(const std::filesystem::path& folder,
                                            const std::string& train_hash,
                                            const std::string& heldout_hash) {
  nlohmann::json now = environment();
  now["data"] = data_hashes(train_hash, heldout_hash);
  const auto path = folder / "environment.json";
  if (!std::filesystem::exists(path)) {
    write_atomically(path, now.dump(1) + "\n");
    return {};
  }
  check_data(folder, train_hash, heldout_hash);
  const nlohmann::json before = nlohmann::json::parse(read_file(path));
  std::vector<std::string> differences;
  for (const auto& [key, value] : now.items())
    if (before.value(key, nlohmann::json()) != value)
      differences.push_back(
          fmt::format("{} was {}, is {}: the resumed trial may differ in its last bits", key,
                      before.value(key, nlohmann::json()).dump(), value.dump()));
  return differences;
}

}  // namespace assay
