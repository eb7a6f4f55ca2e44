// From a study's [[objective]] to the complete composition.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "assay/objective/composition.h"
#include "assay/objective/preset_sources.h"

namespace assay {

namespace {

const std::vector<std::string> kSlots = {"views",  "corrupt", "predict",
                                         "target", "metric",  "weight"};

std::vector<Option> slot_options() {
  using namespace declare;
  return {any("views", "views of an example; default: single"),
          any("corrupt", "the noise field of the input"),
          any("predict", "from trunk features to a prediction"),
          any("target", "what is predicted"),
          any("metric", "how wrong a prediction is"),
          any("weight", "of each cell in training; default: constant"),
          any("regularise", "additions to the loss by name, each a table with a kind")};
}

std::vector<Option> objective_options() {
  using namespace declare;
  std::vector<Option> options{
      optional(text("name", std::nullopt, "what the study calls it; default: the preset's name")),
      optional(text("preset", std::nullopt, "the composition to start from")),
      text("summary", "", "what it is, in a sentence"),
      text("source", "", "paper or code it follows"),
      integer("level_bins", 8, closed(1, 64), "noise-level bins of the loss map (diagnostic)"),
      integer("bands", 4, closed(1, 6), "spatial-frequency octaves of the loss map (diagnostic)"),
      any("term", "terms by name, each a table of slots")};
  for (const Option& slot : slot_options()) options.push_back(slot);  // of the only term
  return options;
}

Node empty_table(const Place& place) {
  Node table;
  table.value = Node::Table{};
  table.place = place;
  return table;
}

std::vector<std::string> term_names(const Node& objective) {
  std::vector<std::string> names;
  if (const Node* terms = objective.find("term"))
    for (const auto& [name, table] : terms->table()) names.push_back(name);
  return names;
}

void check_terms_are_tables(const Node& objective) {
  const Node* terms = objective.find("term");
  if (!terms) return;
  if (!terms->is_table())
    throw Error("config.type",
                fmt::format("`term` in [objective] must be a table, not {}", terms->kind()),
                "name each term: [objective.term.NAME]", terms->place);
  for (const auto& [name, table] : terms->table())
    if (!table.is_table())
      throw Error("config.type",
                  fmt::format("[objective.term.{}] must be a table, not {}", name, table.kind()),
                  fmt::format("slots: {}", fmt::join(kSlots, ", ")), table.place);
}

// `corrupt = …` directly under [[objective]] means the slot of the only term.
Node without_shorthand(Node overlay, const std::vector<std::string>& names) {
  std::vector<std::string> slots = kSlots;
  slots.emplace_back("regularise");
  for (const std::string& slot : slots) {
    const auto found = overlay.table().find(slot);
    if (found == overlay.table().end()) continue;
    if (names.size() != 1)
      throw Error(
          "config.ambiguous_term",
          fmt::format("`{}` in [objective] names no term, and there are {}", slot, names.size()),
          fmt::format("write term.NAME.{}; terms: {}", slot, fmt::join(names, ", ")),
          found->second.key_place);
    Node& terms = overlay.table().try_emplace("term", empty_table(overlay.place)).first->second;
    Node& term = terms.table().try_emplace(names.front(), empty_table(overlay.place)).first->second;
    Node nested = empty_table(overlay.place);
    nested.table().emplace(slot, found->second);
    term = merge(std::move(term), nested);
    overlay.table().erase(slot);
  }
  return overlay;
}

// A term that the preset lacks must bring its own slots; else it is a misspelt name.
void check_new_terms(const Node& overlay, const std::vector<std::string>& known) {
  const Node* terms = overlay.find("term");
  if (!terms || known.empty()) return;
  for (const auto& [name, table] : terms->table())
    if (std::find(known.begin(), known.end(), name) == known.end() && !table.find("target"))
      throw Error("config.unknown_key", fmt::format("unknown term `{}` in [objective.term]", name),
                  suggest(name, known), table.key_place);
}

Node resolve_term(const std::string& name, const Node& table, const DataShape& data) {
  const std::string where = fmt::format("objective.term.{}", name);
  Node given = Options(table, slot_options(), where).effective();
  if (!given.find("views")) given.table()["views"] = kind_node("single");
  if (!given.find("weight")) given.table()["weight"] = kind_node("constant");
  for (const std::string& slot : kSlots) {
    Node* part = given.find(slot);
    if (!part)
      throw Error("config.missing_key", fmt::format("`{}` is missing in [{}]", slot, where),
                  fmt::format("a term has the slots {}", fmt::join(kSlots, ", ")), table.place);
    *part = resolve_part(slot, *part, data.modality, fmt::format("{}.{}", where, slot));
  }
  if (Node* regularisers = given.find("regularise")) {
    if (!regularisers->is_table() || regularisers->find("kind"))
      throw Error("config.type", fmt::format("[{}.regularise] must name its regularisers", where),
                  "for example: regularise.kl = { kind = \"kl\" }", regularisers->place);
    for (auto& [own, part] : regularisers->table())
      part = resolve_part("regularise", part, data.modality,
                          fmt::format("{}.regularise.{}", where, own));
  }
  return given;
}

}  // namespace

Node resolve_objective(const Node& objective, const ModelConfig& model, const DataShape& data) {
  const Options given(objective, objective_options(), "objective");
  check_terms_are_tables(objective);
  Node base = empty_table(objective.place);
  if (given.has("preset")) {
    const std::vector<std::string> names = preset_names();
    const std::string& name = given.text("preset");
    if (std::find(names.begin(), names.end(), name) == names.end())
      throw given.error("preset", "config.choice", fmt::format("there is no preset \"{}\"", name),
                        suggest(name, names));
    base = preset(name);
  }
  const std::vector<std::string> base_terms = term_names(base);
  const Node overlay =
      without_shorthand(objective, base_terms.empty() ? term_names(objective) : base_terms);
  check_new_terms(overlay, base_terms);

  Node resolved =
      Options(merge(std::move(base), overlay), objective_options(), "objective").effective();
  if (!resolved.find("term") || resolved.find("term")->table().empty())
    throw Error("config.missing_key", "[objective] has neither `preset` nor `term`",
                fmt::format("presets: {}", fmt::join(preset_names(), ", ")), objective.place);
  for (auto& [name, table] : resolved.find("term")->table())
    table = resolve_term(name, table, data);
  make_terms(resolved, make_setting(resolved, model, data, Seed(0)));  // only to refuse
  return resolved;
}

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const PresetSource& source : preset_sources()) names.push_back(source.name);
  return names;
}

Node preset(const std::string& name) {
  for (const PresetSource& source : preset_sources())
    if (source.name == name)
      return parse_toml(source.toml, fmt::format("presets/{}.toml", source.name));
  throw Error("config.choice", fmt::format("there is no preset \"{}\"", name),
              suggest(name, preset_names()));
}

}  // namespace assay
