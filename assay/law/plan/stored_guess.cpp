#include "assay/law/plan/stored_guess.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "assay/core/error.h"
#include "assay/store/files.h"

namespace assay {
namespace {

using Json = nlohmann::json;

Json laws_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_regular_file(path))
    throw Error("data.missing_file", fmt::format("there is no file {}", path.string()),
                "give a file that `assay fit TABLE -o FILE` has written");
  const Json json = Json::parse(read_file(path), nullptr, false);
  Json laws = Json::array();
  if (json.is_object() && json.contains("laws") && json["laws"].is_array())
    laws = json["laws"];
  else if (json.is_object() && json.contains("fitted"))
    laws.push_back(json);
  if (json.is_object() && json.contains("outcomes"))  // of a study
    for (const Json& outcome : json["outcomes"])
      for (Json law : outcome.value("laws", Json::array())) {
        law["group"] = law.value("name", "");
        laws.push_back(std::move(law));
      }
  if (laws.empty())
    throw Error("data.not_a_law", fmt::format("{} is not a fitted law", path.string()),
                "give a file that `assay fit TABLE -o FILE` has written");
  return laws;
}

// A law of one column is planned along that column. `form`: of the column that the ranges vary.
void require_axis(const std::filesystem::path& path, const Form& form, const Json& law) {
  if (form.axes().size() > 1) return;
  const std::string own = law.at("axes").at(0).get<std::string>();
  const std::string_view varied = axis_symbol(form.axes().front());
  if (own != varied)
    throw Error("usage.range",
                fmt::format("the law of {} is one of {}, and the ranges vary {}", path.string(),
                            own, varied),
                own == "N"   ? "give --d-range one amount"
                : own == "D" ? "give --n-range one size"
                             : "plan from a law of N or D");
}

const Json& law_of(const Json& laws, const std::string& group) {
  if (group.empty() && laws.size() == 1) return laws.front();
  std::vector<std::string> names;
  for (const Json& law : laws) {
    names.push_back(law.value("group", ""));
    if (!group.empty() && names.back() == group) return law;
  }
  throw Error("usage.group",
              group.empty() ? fmt::format("the file holds {} laws", laws.size())
                            : fmt::format("the file holds no law of `{}`", group),
              (group.empty() ? "name one with --group: " : "") + suggest(group, names));
}

}  // namespace

StoredGuess read_guess(const std::filesystem::path& path, const std::string& group, LawAxis axis) {
  const Json laws = laws_of(path);
  const Json& law = law_of(laws, group);
  StoredGuess out;
  try {
    out.group = law.value("group", "");
    out.law.form = make_form(law.at("form").get<std::string>(), axis);
    require_axis(path, *out.law.form, law);
    if (law.at("fitted").is_null())
      throw Error(
          "law.unusable",
          fmt::format("{} holds no law: {}", path.string(), law.value("failure", "the fit failed")),
          "fit more rows, or guess --alpha, --beta and --floor-share");
    law.at("fitted").get_to(out.law.parameters);
    law.at("sigma").get_to(out.sigma);
    law.at("identifiable").get_to(out.identifiable);
    if (law.contains("flops_per")) out.flops_per = law.at("flops_per").get<double>();
  } catch (const Json::exception& error) {
    throw Error("data.not_a_law",
                fmt::format("{} is not a fitted law: {}", path.string(), error.what()),
                "give a file that `assay fit TABLE -o FILE` has written");
  }
  if (out.law.parameters.size() != out.law.form->size())
    throw Error("data.not_a_law",
                fmt::format("{}: {} parameters, and the form {} has {}", path.string(),
                            out.law.parameters.size(), out.law.form->name(), out.law.form->size()),
                "fit the table again with this build");
  return out;
}

}  // namespace assay
