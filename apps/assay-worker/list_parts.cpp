// assay-worker list parts: the table of parts as JSON.
#include "assay/tensor/torch.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "apps/assay-worker/listing.h"
#include "assay/objective/registry.h"

namespace assay::worker {
namespace {

using Json = nlohmann::json;

// An option that is itself a part says so, and has a part as its default.
void describe_nested(Json& options, const std::vector<Nested>& nested) {
  for (Json& option : options)
    for (const Nested& part : nested) {
      if (option.at("name") != part.option) continue;
      option["type"] = fmt::format("a part of slot {}", part.slot);
      if (!part.fallback.is_null()) option["default"] = to_json(part.fallback);
    }
}

Json part_json(const PartDescription& part, const std::string& slot_summary) {
  Json entry{{"name", part.info.name},
             {"slot", part.info.slot},
             {"slot_summary", slot_summary},
             {"summary", part.info.summary},
             {"formula", part.info.formula},
             {"source", part.info.source},
             {"options", options_json(part.info.options)}};
  if (part.modality) entry["needs"] = *part.modality == Modality::image ? "images" : "text";
  describe_nested(entry["options"], part.nested);
  return entry;
}

template <class Slot>
void append(Json& out, const std::string& only, const std::string& slot_summary) {
  for (const auto& part : parts<Slot>())
    if (only.empty() || part.info.name == only || part.info.slot == only)
      out.push_back(part_json(part, slot_summary));
}

}  // namespace

Json parts_json(const std::string& only) {
  Json out = Json::array();
  append<Views>(out, only, "views of an example");
  append<Corrupt>(out, only, "the noise σ of each token of the input");
  append<LevelLaw>(out, only, "how noise levels are drawn: the option `law` of a corruption");
  append<Predict>(out, only, "from the trunk's features to a prediction");
  append<Target>(out, only, "what is predicted");
  append<Metric>(out, only, "how wrong a prediction is");
  append<Weight>(out, only, "what a loss counts in training");
  append<Regularise>(out, only, "additions to the loss that need no target");
  return out;
}

}  // namespace assay::worker
