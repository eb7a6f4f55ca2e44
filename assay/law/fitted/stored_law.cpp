#include "assay/law/fitted/stored_law.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "assay/core/error.h"

namespace assay {
namespace {

using Json = nlohmann::json;

constexpr LawAxis kAxes[] = {LawAxis::model_size, LawAxis::data_size, LawAxis::unique_data,
                             LawAxis::compute};

// What nlohmann-json then writes with as many digits.
double rounded(double value, int digits) {
  return std::strtod(fmt::format("{:.{}g}", value, digits).c_str(), nullptr);
}

Json to_json(const StoredLaw& law) {
  Json draws = Json::array(), noise = Json::array(), ranges = Json::object(), hull = Json::array();
  for (size_t j = 0; j < law.draws.parameters && law.draws.kept > 0; ++j) {
    draws.push_back(Json::array());
    for (int k = 0; k < law.draws.kept; ++k) draws[j].push_back(rounded(law.draws.draw(k)[j], 9));
  }
  for (const double value : law.noise) noise.push_back(rounded(value, 6));
  for (const auto& [axis, range] : law.region.ranges)
    ranges[std::string(axis_symbol(axis))] = {range.low, range.high};
  for (const auto& corner : law.region.hull) hull.push_back({corner[0], corner[1]});
  return {{"group", law.group},
          {"failure", law.failure.empty() ? Json() : Json(law.failure)},
          {"form", law.form->name()},
          {"axis", axis_symbol(law.form->axes().front())},
          {"loss_unit", law.loss_unit},
          {"rows", law.rows},
          {"flops_per", law.flops_per},
          {"identifiable", law.identifiable},
          {"reasons", law.reasons},
          {"parameters", law.parameters},
          {"seed", law.draws.seed.value()},
          {"no_draws", law.draws.failure.empty() ? Json() : Json(law.draws.failure)},
          {"draws", draws},
          {"noise", noise},
          {"ranges", ranges},
          {"hull", hull}};
}

LawAxis axis_of(const std::string& symbol) {
  for (const LawAxis axis : kAxes)
    if (axis_symbol(axis) == symbol) return axis;
  throw Error("law.axis", fmt::format("there is no column `{}`", symbol), "known: N, D, U, C");
}

StoredLaw law_from_json(const Json& json) {
  StoredLaw law;
  json.at("group").get_to(law.group);
  if (!json.at("failure").is_null()) json.at("failure").get_to(law.failure);
  law.form = make_form(json.at("form").get<std::string>(), axis_of(json.at("axis")));
  json.at("loss_unit").get_to(law.loss_unit);
  law.flops_per = json.value("flops_per", 6.0);
  json.at("rows").get_to(law.rows);
  json.at("identifiable").get_to(law.identifiable);
  json.at("reasons").get_to(law.reasons);
  json.at("parameters").get_to(law.parameters);
  json.at("noise").get_to(law.noise);
  const size_t p = law.form->size();
  if (law.failure.empty() && law.parameters.size() != p)
    throw std::runtime_error("the form has another number of parameters");
  const auto draws = json.at("draws").get<std::vector<std::vector<double>>>();
  law.draws.seed = Seed(json.at("seed").get<uint64_t>());
  if (const Json none = json.value("no_draws", Json()); none.is_string())
    law.draws.failure = none.get<std::string>();
  law.draws.parameters = p;
  law.draws.kept = draws.empty() ? 0 : static_cast<int>(draws.front().size());
  if (!draws.empty() && draws.size() != p)
    throw std::runtime_error("draws of another number of parameters");
  for (size_t k = 0; k < static_cast<size_t>(law.draws.kept); ++k)
    for (const auto& of_parameter : draws) law.draws.draws.push_back(of_parameter.at(k));
  if (law.failure.empty())
    for (const LawAxis axis : law.form->axes()) {
      const Json& range = json.at("ranges").at(std::string(axis_symbol(axis)));
      law.region.ranges.push_back({axis, {range.at(0), range.at(1)}});
    }
  for (const Json& corner : json.at("hull"))
    law.region.hull.push_back({corner.at(0), corner.at(1)});
  return law;
}

Error not_a_law(const std::filesystem::path& path, const std::string& why) {
  return Error("data.not_a_law", fmt::format("{} is not a stored law: {}", path.string(), why),
               "give a file that `assay fit TABLE -o FILE` has written");
}

std::string quoted_groups(const std::vector<StoredLaw>& laws) {
  std::string out;
  for (const StoredLaw& law : laws)
    out += fmt::format("{}`{}`", out.empty() ? "" : ", ", law.group);
  return out;
}

}  // namespace

StoredLaw stored_law(const FittedLaw& law, const std::string& loss_unit) {
  StoredLaw out;
  out.group = law.group;
  out.failure = law.fit.failure;
  out.form = law.problem.form;
  out.loss_unit = loss_unit;
  out.rows = law.fit.rows;
  out.flops_per = law.flops_per;
  if (!law.fit.usable()) return out;
  out.identifiable = law.identifiable();
  if (law.gate) out.reasons = law.gate->reasons;
  out.parameters = law.fit.parameters;
  out.region = fitted_region(law.problem.rows, *law.problem.form);
  out.noise = run_noise(law.problem, law.fit);
  if (law.resamples) out.draws = *law.resamples;
  keep_what_is_needed(out);
  return out;
}

void keep_what_is_needed(StoredLaw& law) {
  law.draws.kept = std::min(law.draws.kept, kMostStoredDraws);
  law.draws.draws.resize(static_cast<size_t>(law.draws.kept) * law.draws.parameters);
  if (law.noise.size() <= kMostStoredNoise) return;
  std::sort(law.noise.begin(), law.noise.end());
  std::vector<double> kept;
  for (size_t k = 0; k < kMostStoredNoise; ++k)
    kept.push_back(sorted_quantile(
        law.noise, (static_cast<double>(k) + 0.5) / static_cast<double>(kMostStoredNoise)));
  law.noise = std::move(kept);
}

std::string law_file(const nlohmann::json& printed, const std::vector<StoredLaw>& laws) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  std::string text = printed.dump(2, ' ', false, kReplace);
  text.erase(text.find_last_of('}'));
  text.erase(text.find_last_not_of(" \n") + 1);
  text += ",\n  \"prediction\": [";
  for (size_t i = 0; i < laws.size(); ++i)
    text += (i == 0 ? "\n    " : ",\n    ") + to_json(laws[i]).dump(-1, ' ', false, kReplace);
  return text + "\n  ]\n}\n";
}

std::vector<StoredLaw> read_law_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  if (in) text << in.rdbuf();
  if (!in || std::filesystem::is_directory(path))
    throw Error("data.missing_file", fmt::format("cannot read {}", path.string()),
                "give a file that `assay fit TABLE -o FILE` has written");
  const Json json = Json::parse(text.str(), nullptr, false);
  if (json.is_discarded()) throw not_a_law(path, "it is not JSON");
  if (!json.is_object() || !json.contains("format"))
    throw not_a_law(path, "it has no `format` at its top");
  if (json.at("format") != kLawFormat)
    throw Error("data.law_format",
                fmt::format("{} has format {}, and this version of Assay reads format {}",
                            path.string(), json.at("format").dump(), kLawFormat),
                "fit the table again, or use the version that wrote the file");
  if (!json.contains("prediction") || !json.at("prediction").is_array() ||
      json.at("prediction").empty())
    throw not_a_law(path, "it has no `prediction`, which only `-o` writes");
  std::vector<StoredLaw> laws;
  try {
    for (const Json& law : json.at("prediction")) laws.push_back(law_from_json(law));
  } catch (const Error& error) {
    throw not_a_law(path, error.what());
  } catch (const std::exception&) {
    throw not_a_law(path, fmt::format("entry {} of its `prediction` lacks a field, or has one of "
                                      "another kind or length",
                                      laws.size() + 1));
  }
  return laws;
}

const StoredLaw& law_of_group(const std::vector<StoredLaw>& laws, const std::string& group) {
  std::vector<std::string> names;
  for (const StoredLaw& law : laws) names.push_back(law.group);
  if (group.empty() && laws.size() > 1)
    throw Error("usage.group",
                fmt::format("the file holds {} laws: {}", laws.size(), quoted_groups(laws)),
                "name one with --group");
  const auto found = group.empty() ? names.begin() : std::find(names.begin(), names.end(), group);
  if (found == names.end())
    throw Error("usage.group", fmt::format("the file holds no law of a group `{}`", group),
                names.size() == 1 && names.front().empty()
                    ? "it holds one law, of a table without groups: leave --group out"
                    : suggest(group, names));
  const StoredLaw& law = laws[static_cast<size_t>(found - names.begin())];
  if (!law.failure.empty())
    throw Error("law.unusable",
                "there is no law to predict with, as its fit failed: " + law.failure,
                "see what `assay fit` says of the table");
  return law;
}

}  // namespace assay
