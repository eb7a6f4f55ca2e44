// A configuration value that knows where it was written, so that every error can point at it.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "assay/core/error.h"

namespace assay {

struct Node {
  using Array = std::vector<Node>;
  using Table = std::map<std::string, Node>;
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Table> value;
  Place place;      // of the value
  Place key_place;  // of its key, if it has one

  bool is_null() const { return std::holds_alternative<std::monostate>(value); }
  bool is_table() const { return std::holds_alternative<Table>(value); }
  bool is_array() const { return std::holds_alternative<Array>(value); }
  bool is_text() const { return std::holds_alternative<std::string>(value); }
  const Table& table() const { return std::get<Table>(value); }
  Table& table() { return std::get<Table>(value); }
  const Array& array() const { return std::get<Array>(value); }
  Array& array() { return std::get<Array>(value); }
  const std::string& text() const { return std::get<std::string>(value); }

  /// The entry of a table, or nullptr.
  const Node* find(const std::string& key) const;
  Node* find(const std::string& key);

  /// "a table", "an integer", …: for messages.
  std::string kind() const;
};

/// Throws Error config.syntax with line and column.
Node parse_toml(std::string text, const std::string& path);
/// Throws Error config.missing_file, config.syntax.
Node read_toml(const std::string& path);

/// Places are lost. A null is a JSON null.
nlohmann::json to_json(const Node& node);
Node from_json(const nlohmann::json& json);

/// `overlay` wins, tables merge key by key; a table whose `kind` differs from the base's replaces
/// it whole, because the options of one kind mean nothing to another.
Node merge(Node base, const Node& overlay);

/// Sets `a.b.c = value` where `assignment` is "a.b.c=value" and the value is TOML (a bare word is
/// text). Throws Error usage.assignment.
void assign(Node& root, const std::string& assignment);

}  // namespace assay
