// The tables of a study file.
#include "assay/study/schema.h"

#include <fmt/format.h>

#include "assay/study/measure_table.h"

namespace assay {
namespace {

constexpr const char* kDefaultData = R"(
[scenes]
kind = "world"
view = "image"
[captions]
kind = "world"
view = "caption"
)";

std::vector<Option> root_options() {
  using namespace declare;
  return {
      table("study",
            {text("name", {}, "short name of the study, without spaces"),
             text("question", "", "what the study is to answer; stands at the top of the report")},
            "what the study is"),
      any("data", "datasets by name: [data.NAME] with a kind"),
      any("model", "the trunk"),
      any("train", "budget, batch, learning rate, seeds"),
      any("objective", "one [[objective]] for each pretraining objective"),
      any("measure", "what is measured, and when"),
      table("run", run_options(), "how trials are run; changes no result"),
  };
}

}  // namespace

std::vector<Option> run_options() {
  using namespace declare;
  return {real("checkpoint_seconds", 30.0, at_least(0), "seconds between checkpoints of a trial"),
          real("time_limit_seconds", 0.0, at_least(0),
               "a trial that runs longer ends as timed_out; 0 = no limit")};
}

DataTable read_data_table(const Node& table, const std::string& where, const std::string& base) {
  const DatasetEntry& entry = dataset_entry(table, where);
  const Options options(table, entry.options, where);
  const DatasetInfo info = entry.describe(options, base);
  DataTable out;
  out.effective = options.effective();
  out.shape = {info.modality, info.channels, info.image_size, info.window, info.factors};
  return out;
}

StudySchema read_schema(const Node& root, const std::string& base) {
  const Options options(root, root_options(), "");
  StudySchema schema;
  schema.name = options.table("study").text("name");
  schema.question = options.table("study").text("question");
  const Node defaults = parse_toml(kDefaultData, "default data");
  const Node& data = options.has("data") ? options.node("data") : defaults;
  if (!data.is_table())
    throw Error("config.type", fmt::format("[data] must hold tables, not {}", data.kind()),
                "write [data.NAME] and a kind", data.place);
  for (const auto& [name, table] : data.table())
    schema.data[name] = read_data_table(table, "data." + name, base);

  Node empty;
  empty.value = Node::Table{};
  schema.model = options.has("model") ? options.node("model") : empty;
  schema.train = options.has("train") ? options.node("train") : empty;
  schema.run = options.node("run");
  const Node measure = options.has("measure") ? options.node("measure") : empty;
  schema.measure = read_measure(measure).effective;
  if (!options.has("objective") || !options.node("objective").is_array() ||
      options.node("objective").array().empty())
    throw Error("config.missing_key", "the study has no objective",
                "add at least one: [[objective]] preset = \"mae\"", root.place);
  schema.objectives = options.node("objective").array();
  return schema;
}

}  // namespace assay
