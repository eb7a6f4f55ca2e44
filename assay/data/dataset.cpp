// The table of datasets, and the order in which examples are visited.
#include "assay/data/dataset.h"

#include <fmt/format.h>

#include <unordered_map>

#include "assay/noise/noise.h"

namespace assay {

#define ASSAY_DATASET(name) DatasetEntry name##_dataset();
#include "assay/data/builtin.def"
#undef ASSAY_DATASET

const std::vector<DatasetEntry>& dataset_entries() {
  static const std::vector<DatasetEntry> entries = [] {
    std::vector<DatasetEntry> out;
#define ASSAY_DATASET(name) out.push_back(name##_dataset());
#include "assay/data/builtin.def"
#undef ASSAY_DATASET
    for (DatasetEntry& entry : out)
      entry.options.insert(entry.options.begin(), declare::choice("kind", entry.name, {entry.name},
                                                                  "Which dataset this is."));
    return out;
  }();
  return entries;
}

const DatasetEntry& dataset_entry(const Node& table, const std::string& where) {
  std::vector<std::string> names;
  for (const DatasetEntry& entry : dataset_entries()) names.push_back(entry.name);
  const Node* kind = table.is_table() ? table.find("kind") : nullptr;
  if (!kind)
    throw Error("config.missing_key", fmt::format("`kind` is missing in [{}]", where),
                suggest("", names), table.key_place.source ? table.key_place : table.place);
  if (!kind->is_text())
    throw Error("config.type",
                fmt::format("`kind` in [{}] must be text, not {}", where, kind->kind()),
                suggest("", names), kind->place);
  for (const DatasetEntry& entry : dataset_entries())
    if (entry.name == kind->text()) return entry;
  throw Error("config.choice", fmt::format("`kind` in [{}] cannot be \"{}\"", where, kind->text()),
              suggest(kind->text(), names), kind->place);
}

std::vector<int64_t> replicas_of(std::span<const int64_t> ids) {
  std::unordered_map<int64_t, int64_t> seen;
  std::vector<int64_t> replicas;
  replicas.reserve(ids.size());
  for (const int64_t id : ids) replicas.push_back(seen[id]++);
  return replicas;
}

std::vector<int64_t> ids_of_step(Seed order, int64_t size, int64_t batch, int64_t step) {
  std::vector<int64_t> ids;
  ids.reserve(static_cast<size_t>(batch));
  for (int64_t position = step * batch; position < (step + 1) * batch; ++position) {
    const Seed epoch = order.child(static_cast<uint64_t>(position / size));
    ids.push_back(permuted(epoch, size, position % size));
  }
  return ids;
}

}  // namespace assay
