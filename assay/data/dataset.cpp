// The table of datasets, and the order in which examples are visited.
#include "assay/data/dataset.h"

#include <fmt/format.h>

#include <cmath>
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

Batch batch_of(std::span<const int64_t> ids, int64_t size) {
  for (const int64_t id : ids)
    if (id < 0 || id >= size)
      throw Error("data.range", fmt::format("no example {} among {}", id, size));
  Batch batch;
  batch.ids.assign(ids.begin(), ids.end());
  batch.replicas = replicas_of(ids);
  return batch;
}

double empirical_entropy(std::span<const int64_t> labels, int64_t cardinality) {
  std::vector<double> counts(static_cast<size_t>(cardinality), 0);
  double known = 0, bits = 0;
  for (const int64_t label : labels) {
    if (label < 0) continue;
    counts[static_cast<size_t>(label)] += 1;
    known += 1;
  }
  for (const double count : counts)
    if (count > 0) bits -= count / known * std::log2(count / known);
  return bits;
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
