// Typed, self-documenting options. One declaration gives parsing, range errors, defaults, the
// stored effective configuration, `assay list` and the generated documentation.
#pragma once

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "assay/core/node.h"

namespace assay {

/// An interval of the reals. `describe()` gives "in (0, 1]", "at least 1".
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_open = false, high_open = false;

  bool contains(double value) const;
  std::string describe() const;
};
struct Option {
  enum class Type { boolean, integer, real, text, choice, integers, reals, texts, table, any };
  std::string name;
  Type type = Type::any;
  std::string help;       // one sentence, with the unit
  Node fallback;          // the default; null = required, unless `optional`
  bool optional = false;  // may be absent without a default
  Range range;
  std::vector<std::string> choices;
  std::vector<Option> fields;  // of a table

  std::string type_name() const;
};

// Declarations. Without a default the option is required.
namespace declare {
Range open(double low, double high);
Range closed(double low, double high);
Range at_least(double low);
Range above(double low);

Option boolean(std::string name, bool fallback, std::string help);
Option integer(std::string name, std::optional<int64_t> fallback, Range range, std::string help);
Option real(std::string name, std::optional<double> fallback, Range range, std::string help);
Option text(std::string name, std::optional<std::string> fallback, std::string help);
Option choice(std::string name, std::optional<std::string> fallback,
              std::vector<std::string> choices, std::string help);
Option reals(std::string name, std::optional<std::vector<double>> fallback, Range range,
             std::string help);
Option integers(std::string name, std::optional<std::vector<int64_t>> fallback, Range range,
                std::string help);
Option texts(std::string name, std::optional<std::vector<std::string>> fallback, std::string help);
/// A nested table; absent = all its defaults.
Option table(std::string name, std::vector<Option> fields, std::string help);
/// A value that its reader checks (a part with a `kind`). Absent = null.
Option any(std::string name, std::string help);
/// Makes a declared option optional: `has()` tells whether it was given.
Option optional(Option option);
}  // namespace declare

/// A table read against its declarations. The constructor throws Error config.unknown_key,
/// config.type, config.range, config.choice, config.missing_key: each with place and remedy.
class Options {
 public:
  Options() = default;
  /// where: what the table is called in messages, e.g. "objective.corrupt".
  Options(const Node& given, const std::vector<Option>& declared, std::string where);

  bool has(const std::string& name) const;
  bool flag(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  double real(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  std::vector<double> reals(const std::string& name) const;
  std::vector<int64_t> integers(const std::string& name) const;
  std::vector<std::string> texts(const std::string& name) const;
  Options table(const std::string& name) const;
  const Node& node(const std::string& name) const;

  /// The table with every default filled in: what is stored and hashed.
  const Node& effective() const { return effective_; }
  const std::string& where() const { return where_; }
  /// An error that points at one option's value.
  Error error(const std::string& name, const std::string& code, const std::string& message,
              const std::string& help = {}) const;

 private:
  Node effective_;
  std::vector<Option> declared_;
  std::string where_;
};

}  // namespace assay
