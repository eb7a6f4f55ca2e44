// The table of parts.
#include "assay/objective/registry.h"

#include <fmt/format.h>

#include <tuple>

namespace assay {

#define ASSAY_PART(Slot, slot, part) PartEntry<Slot> slot##_##part();
#include "assay/objective/builtin.def"
#undef ASSAY_PART

namespace {

template <class... Slots>
using Tables = std::tuple<std::vector<PartEntry<Slots>>...>;
using AllTables = Tables<Views, Corrupt, LevelLaw, Predict, Target, Metric, Weight, Regularise>;

const AllTables& tables() {
  static const AllTables all = [] {
    AllTables made;
#define ASSAY_PART(Slot, slot, part) \
  std::get<std::vector<PartEntry<Slot>>>(made).push_back(slot##_##part());
#include "assay/objective/builtin.def"
#undef ASSAY_PART
    return made;
  }();
  return all;
}

std::vector<const PartDescription*> descriptions(const std::string& slot) {
  std::vector<const PartDescription*> found;
  std::apply(
      [&](const auto&... table) {
        const auto collect = [&](const auto& entries) {
          for (const auto& entry : entries)
            if (slot.empty() || entry.info.slot == slot) found.push_back(&entry);
        };
        (collect(table), ...);
      },
      tables());
  return found;
}

std::vector<Option> declared_options(const PartDescription& part) {
  std::vector<Option> declared{declare::text("kind", part.info.name, "which part")};
  declared.insert(declared.end(), part.info.options.begin(), part.info.options.end());
  return declared;
}

const PartDescription& described(const std::string& slot, const Node& table,
                                 const std::string& where) {
  std::vector<std::string> names;
  for (const PartDescription* part : descriptions(slot)) names.push_back(part->info.name);
  const Node* kind = table.find("kind");
  if (!table.is_table() || !kind)
    throw Error("config.missing_key", fmt::format("[{}] needs a `kind`", where), suggest("", names),
                table.place);
  if (!kind->is_text())
    throw Error("config.type",
                fmt::format("`kind` in [{}] must be text, not {}", where, kind->kind()),
                suggest("", names), kind->place);
  for (const PartDescription* part : descriptions(slot))
    if (part->info.name == kind->text()) return *part;
  throw Error("config.choice", fmt::format("`kind` in [{}] cannot be \"{}\"", where, kind->text()),
              suggest(kind->text(), names), kind->place);
}

std::string modality_name(Modality modality) {
  return modality == Modality::image ? "images" : "text";
}

}  // namespace

template <class Slot>
const std::vector<PartEntry<Slot>>& parts() {
  return std::get<std::vector<PartEntry<Slot>>>(tables());
}

template <class Slot>
Chosen<Slot> choose(const Node& resolved, const std::string& where) {
  const PartDescription& part = described(Slot::kSlot, resolved, where);
  return {static_cast<const PartEntry<Slot>*>(&part),
          Options(resolved, declared_options(part), where)};
}

#define ASSAY_SLOT(Slot)                                      \
  template const std::vector<PartEntry<Slot>>& parts<Slot>(); \
  template Chosen<Slot> choose<Slot>(const Node&, const std::string&);
ASSAY_SLOT(Views)
ASSAY_SLOT(Corrupt)
ASSAY_SLOT(LevelLaw)
ASSAY_SLOT(Predict)
ASSAY_SLOT(Target)
ASSAY_SLOT(Metric)
ASSAY_SLOT(Weight)
ASSAY_SLOT(Regularise)
#undef ASSAY_SLOT

Node resolve_part(const std::string& slot, const Node& table, const Modality& data,
                  const std::string& where) {
  const PartDescription& part = described(slot, table, where);
  Node effective = Options(table, declared_options(part), where).effective();
  if (part.modality && *part.modality != data)
    throw Error(
        "config.modality",
        fmt::format("`{}` in [{}] needs {}, but the data is {}", part.info.name, where,
                    modality_name(*part.modality), modality_name(data)),
        fmt::format("choose a dataset of {}, or another objective", modality_name(*part.modality)),
        table.find("kind")->place);
  for (const Nested& nested : part.nested) {
    const Node* given = effective.find(nested.option);
    effective.table()[nested.option] =
        resolve_part(nested.slot, given ? *given : nested.fallback, data,
                     fmt::format("{}.{}", where, nested.option));
  }
  return effective;
}

Node kind_node(const std::string& name) {
  Node table, kind;
  kind.value = name;
  table.value = Node::Table{{"kind", kind}};
  return table;
}

std::vector<PartInfo> part_infos() {
  std::vector<PartInfo> infos;
  for (const PartDescription* part : descriptions("")) infos.push_back(part->info);
  return infos;
}

}  // namespace assay
