#include "assay/core/node.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

namespace assay {
namespace {

using SourcePtr = std::shared_ptr<const Source>;

Place place_of(const toml::source_region& region, const SourcePtr& source) {
  Place place{source, static_cast<int>(region.begin.line), static_cast<int>(region.begin.column),
              1};
  if (region.end.line == region.begin.line && region.end.column > region.begin.column)
    place.length = static_cast<int>(region.end.column - region.begin.column);
  return place;
}

Node convert(const toml::node& in, const SourcePtr& source) {
  Node out;
  out.place = place_of(in.source(), source);
  if (const auto* table = in.as_table()) {
    Node::Table entries;
    for (const auto& [key, value] : *table) {
      Node child = convert(value, source);
      child.key_place = place_of(key.source(), source);
      entries.emplace(std::string(key.str()), std::move(child));
    }
    out.value = std::move(entries);
  } else if (const auto* array = in.as_array()) {
    Node::Array items;
    for (const auto& item : *array) items.push_back(convert(item, source));
    out.value = std::move(items);
  } else if (const auto* text = in.as_string()) {
    out.value = text->get();
  } else if (const auto* integer = in.as_integer()) {
    out.value = integer->get();
  } else if (const auto* real = in.as_floating_point()) {
    out.value = real->get();
  } else if (const auto* boolean = in.as_boolean()) {
    out.value = boolean->get();
  } else {
    throw Error("config.type", "dates and times are not used in study files", "write it as text",
                out.place);
  }
  return out;
}

}  // namespace

const Node* Node::find(const std::string& key) const {
  if (!is_table()) return nullptr;
  const auto it = table().find(key);
  return it == table().end() ? nullptr : &it->second;
}

Node* Node::find(const std::string& key) {
  return const_cast<Node*>(static_cast<const Node*>(this)->find(key));
}

std::string Node::kind() const {
  static const char* const names[] = {"nothing", "a boolean", "an integer", "a real number",
                                      "text",    "a list",    "a table"};
  return names[value.index()];
}

Node parse_toml(std::string text, const std::string& path) {
  const auto source = std::make_shared<const Source>(Source{path, std::move(text)});
  try {
    return convert(toml::parse(source->text, path), source);
  } catch (const toml::parse_error& error) {
    throw Error("config.syntax", std::string(error.description()), "see toml.io for the syntax",
                place_of(error.source(), source));
  }
}

Node read_toml(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  if (in) text << in.rdbuf();
  if (!in)
    throw Error("config.missing_file",
                fmt::format("cannot read {}: {}", path, std::strerror(errno)),
                "give the path of a study file (TOML); `assay list studies` names those that ship");
  return parse_toml(text.str(), path);
}

nlohmann::json to_json(const Node& node) {
  return std::visit(
      [](const auto& value) -> nlohmann::json {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, Node::Array>) {
          auto out = nlohmann::json::array();
          for (const Node& item : value) out.push_back(to_json(item));
          return out;
        } else if constexpr (std::is_same_v<T, Node::Table>) {
          auto out = nlohmann::json::object();
          for (const auto& [key, item] : value) out[key] = to_json(item);
          return out;
        } else {
          return value;
        }
      },
      node.value);
}

Node from_json(const nlohmann::json& json) {
  Node node;
  if (json.is_boolean()) {
    node.value = json.get<bool>();
  } else if (json.is_number_integer()) {
    node.value = json.get<int64_t>();
  } else if (json.is_number()) {
    node.value = json.get<double>();
  } else if (json.is_string()) {
    node.value = json.get<std::string>();
  } else if (json.is_array()) {
    Node::Array items;
    for (const auto& item : json) items.push_back(from_json(item));
    node.value = std::move(items);
  } else if (json.is_object()) {
    Node::Table entries;
    for (const auto& [key, item] : json.items()) entries.emplace(key, from_json(item));
    node.value = std::move(entries);
  }
  return node;
}

Node merge(Node base, const Node& overlay) {
  if (!base.is_table() || !overlay.is_table()) return overlay;
  const Node *kind_before = base.find("kind"), *kind_after = overlay.find("kind");
  if (kind_before && kind_after && to_json(*kind_before) != to_json(*kind_after)) return overlay;
  for (const auto& [key, value] : overlay.table()) {
    Node* existing = base.find(key);
    if (existing)
      *existing = merge(std::move(*existing), value);
    else
      base.table().emplace(key, value);
  }
  base.place = overlay.place;
  base.key_place = overlay.key_place;
  return base;
}

void assign(Node& root, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    throw Error("usage.assignment",
                fmt::format("`--set {}` is not of the form KEY=VALUE", assignment),
                "for example: --set train.batch=32");
  const std::string key = assignment.substr(0, equals), text = assignment.substr(equals + 1);
  Node value;
  try {
    value = *parse_toml("value = " + text, "--set " + assignment).find("value");
  } catch (const Error&) {
    value.value = text;
  }
  value.key_place =
      value.place = {std::make_shared<Source>(Source{"--set " + assignment, assignment}), 1, 1,
                     static_cast<int>(equals)};
  Node* at = &root;
  std::istringstream parts(key);
  std::vector<std::string> names;
  for (std::string part; std::getline(parts, part, '.');) names.push_back(part);
  for (size_t i = 0; i < names.size(); ++i) {
    // A number addresses an entry of a list of tables: objective.0.preset
    if (at->is_array()) {
      size_t index = 0;
      try {
        index = std::stoul(names[i]);
      } catch (const std::exception&) {
        index = at->array().size();
      }
      if (index >= at->array().size())
        throw Error("usage.assignment",
                    fmt::format("`{}` in `--set {}` is not an entry of a list of {}", names[i],
                                assignment, at->array().size()),
                    "entries count from 0: --set objective.0.preset=mae");
      at = &at->array()[index];
      if (i + 1 == names.size()) *at = value;
      continue;
    }
    if (!at->is_table()) {
      if (!at->is_null())
        throw Error("usage.assignment", fmt::format("`{}` in `--set {}` lies inside {}", names[i],
                                                    assignment, at->kind()));
      at->value = Node::Table{};
    }
    Node& next = at->table()[names[i]];
    if (i + 1 == names.size()) next = value;
    at = &next;
  }
}

}  // namespace assay
