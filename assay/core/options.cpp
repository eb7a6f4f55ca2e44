#include "assay/core/options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::vector<std::string> names_of(const std::vector<Option>& options) {
  std::vector<std::string> names;
  for (const Option& option : options) names.push_back(option.name);
  return names;
}

std::string quoted(const std::string& where, const std::string& name) {
  return where.empty() ? fmt::format("`{}`", name) : fmt::format("`{}` in [{}]", name, where);
}

[[noreturn]] void wrong_type(const Option& option, const Node& given, const std::string& where) {
  throw Error("config.type",
              fmt::format("{} must be {}, not {}", quoted(where, option.name), option.type_name(),
                          given.kind()),
              option.help, given.place);
}

double number(const Option& option, const Node& given, const std::string& where, bool whole) {
  double value = 0;
  if (const auto* integer = std::get_if<int64_t>(&given.value))
    value = static_cast<double>(*integer);
  else if (const auto* real = std::get_if<double>(&given.value))
    value = *real;
  else
    wrong_type(option, given, where);
  // 1e6 is a natural way to write a count.
  if (whole && (value != std::floor(value) || std::abs(value) > 9e15))
    wrong_type(option, given, where);
  if (!option.range.contains(value))
    throw Error("config.range",
                fmt::format("{} must be {}, got {}", quoted(where, option.name),
                            option.range.describe(), value),
                option.help, given.place);
  return value;
}

Node checked(const Option& option, const Node& given, const std::string& where);

Node checked_number(const Option& option, const Node& given, const std::string& where, bool whole) {
  Node out = given;
  const double value = number(option, given, where, whole);
  if (whole)
    out.value = static_cast<int64_t>(value);
  else
    out.value = value;
  return out;
}

Node checked_list(const Option& option, const Node& given, const std::string& where) {
  if (!given.is_array()) wrong_type(option, given, where);
  Node out = given;
  for (Node& item : out.array()) {
    if (option.type == Option::Type::texts) {
      if (!item.is_text()) wrong_type(option, item, where);
    } else {
      item = checked_number(option, item, where, option.type == Option::Type::integers);
    }
  }
  return out;
}

Node checked(const Option& option, const Node& given, const std::string& where) {
  using Type = Option::Type;
  switch (option.type) {
    case Type::boolean:
      if (!std::holds_alternative<bool>(given.value)) wrong_type(option, given, where);
      return given;
    case Type::integer:
      return checked_number(option, given, where, true);
    case Type::real:
      return checked_number(option, given, where, false);
    case Type::text:
      if (!given.is_text()) wrong_type(option, given, where);
      return given;
    case Type::choice:
      if (!given.is_text()) wrong_type(option, given, where);
      if (std::find(option.choices.begin(), option.choices.end(), given.text()) ==
          option.choices.end())
        throw Error("config.choice",
                    fmt::format("{} cannot be \"{}\"", quoted(where, option.name), given.text()),
                    suggest(given.text(), option.choices), given.place);
      return given;
    case Type::integers:
    case Type::reals:
    case Type::texts:
      return checked_list(option, given, where);
    case Type::table: {
      const std::string inner = where.empty() ? option.name : where + "." + option.name;
      return Options(given, option.fields, inner).effective();
    }
    case Type::any:
      return given;
  }
  return given;
}

Node node_of(nlohmann::json value) { return from_json(value); }

}  // namespace

bool Range::contains(double value) const {
  if (std::isnan(value)) return false;
  return (low_open ? value > low : value >= low) && (high_open ? value < high : value <= high);
}

std::string Range::describe() const {
  if (std::isinf(low) && std::isinf(high)) return "a number";
  if (std::isinf(high)) return fmt::format("{} {}", low_open ? "above" : "at least", low);
  if (std::isinf(low)) return fmt::format("{} {}", high_open ? "below" : "at most", high);
  return fmt::format("in {}{}, {}{}", low_open ? '(' : '[', low, high, high_open ? ')' : ']');
}

std::string Option::type_name() const {
  switch (type) {
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "an integer";
    case Type::real:
      return "a number";
    case Type::text:
      return "text";
    case Type::choice:
      return "one of " + fmt::format("{}", fmt::join(choices, ", "));
    case Type::integers:
      return "a list of integers";
    case Type::reals:
      return "a list of numbers";
    case Type::texts:
      return "a list of texts";
    case Type::table:
      return "a table";
    case Type::any:
      return "a value";
  }
  return {};
}

namespace declare {

Range open(double low, double high) { return {low, high, true, true}; }
Range closed(double low, double high) { return {low, high, false, false}; }
Range at_least(double low) {
  Range range;
  range.low = low;
  return range;
}
Range above(double low) {
  Range range = at_least(low);
  range.low_open = true;
  return range;
}

Option boolean(std::string name, bool fallback, std::string help) {
  return {std::move(name),
          Option::Type::boolean,
          std::move(help),
          node_of(fallback),
          false,
          {},
          {},
          {}};
}
Option integer(std::string name, std::optional<int64_t> fallback, Range range, std::string help) {
  return {std::move(name),
          Option::Type::integer,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          range,
          {},
          {}};
}
Option real(std::string name, std::optional<double> fallback, Range range, std::string help) {
  return {std::move(name),
          Option::Type::real,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          range,
          {},
          {}};
}
Option text(std::string name, std::optional<std::string> fallback, std::string help) {
  return {std::move(name),
          Option::Type::text,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          {},
          {},
          {}};
}
Option choice(std::string name, std::optional<std::string> fallback,
              std::vector<std::string> choices, std::string help) {
  return {std::move(name),
          Option::Type::choice,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          {},
          std::move(choices),
          {}};
}
Option reals(std::string name, std::optional<std::vector<double>> fallback, Range range,
             std::string help) {
  return {std::move(name),
          Option::Type::reals,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          range,
          {},
          {}};
}
Option integers(std::string name, std::optional<std::vector<int64_t>> fallback, Range range,
                std::string help) {
  return {std::move(name),
          Option::Type::integers,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          range,
          {},
          {}};
}
Option texts(std::string name, std::optional<std::vector<std::string>> fallback, std::string help) {
  return {std::move(name),
          Option::Type::texts,
          std::move(help),
          fallback ? node_of(*fallback) : Node{},
          false,
          {},
          {},
          {}};
}
Option table(std::string name, std::vector<Option> fields, std::string help) {
  return {std::move(name),  Option::Type::table, std::move(help), Node{}, false, {}, {},
          std::move(fields)};
}
Option any(std::string name, std::string help) {
  return {std::move(name), Option::Type::any, std::move(help), Node{}, true, {}, {}, {}};
}
Option optional(Option option) {
  option.optional = true;
  return option;
}

}  // namespace declare

Options::Options(const Node& given, const std::vector<Option>& declared, std::string where)
    : declared_(declared), where_(std::move(where)) {
  effective_.value = Node::Table{};
  effective_.place = given.place;
  effective_.key_place = given.key_place;
  if (!given.is_null() && !given.is_table())
    throw Error("config.type", fmt::format("[{}] must be a table, not {}", where_, given.kind()),
                {}, given.place);
  if (given.is_table()) {
    for (const auto& [key, value] : given.table()) {
      const auto names = names_of(declared);
      if (std::find(names.begin(), names.end(), key) == names.end())
        throw Error("config.unknown_key",
                    where_.empty() ? fmt::format("unknown key `{}`", key)
                                   : fmt::format("unknown key `{}` in [{}]", key, where_),
                    suggest(key, names), value.key_place);
    }
  }
  for (const Option& option : declared) {
    const Node* value = given.find(option.name);
    if (value && !value->is_null()) {
      effective_.table()[option.name] = checked(option, *value, where_);
    } else if (!option.fallback.is_null() && !option.optional) {
      effective_.table()[option.name] = option.fallback;
    } else if (option.type == Option::Type::table && !option.optional) {
      Node empty;
      empty.value = Node::Table{};
      empty.place = given.place;
      effective_.table()[option.name] = checked(option, empty, where_);
    } else if (!option.optional) {
      throw Error("config.missing_key",
                  where_.empty() ? fmt::format("`{}` is missing", option.name)
                                 : fmt::format("`{}` is missing in [{}]", option.name, where_),
                  fmt::format("{}: {}", option.type_name(), option.help),
                  given.key_place.source ? given.key_place : given.place);
    }
  }
}

bool Options::has(const std::string& name) const { return effective_.find(name) != nullptr; }

const Node& Options::node(const std::string& name) const {
  const Node* found = effective_.find(name);
  if (!found) throw std::logic_error("option not declared or not given: " + where_ + "." + name);
  return *found;
}

bool Options::flag(const std::string& name) const { return std::get<bool>(node(name).value); }
int64_t Options::integer(const std::string& name) const {
  return std::get<int64_t>(node(name).value);
}
double Options::real(const std::string& name) const {
  const Node& found = node(name);
  // A default declared as 1.0 may come back from JSON as the integer 1.
  if (const auto* integer = std::get_if<int64_t>(&found.value))
    return static_cast<double>(*integer);
  return std::get<double>(found.value);
}
const std::string& Options::text(const std::string& name) const { return node(name).text(); }

std::vector<double> Options::reals(const std::string& name) const {
  return to_json(node(name)).get<std::vector<double>>();
}
std::vector<int64_t> Options::integers(const std::string& name) const {
  return to_json(node(name)).get<std::vector<int64_t>>();
}
std::vector<std::string> Options::texts(const std::string& name) const {
  return to_json(node(name)).get<std::vector<std::string>>();
}

Options Options::table(const std::string& name) const {
  const auto it = std::find_if(declared_.begin(), declared_.end(),
                               [&](const Option& option) { return option.name == name; });
  if (it == declared_.end()) throw std::logic_error("table not declared: " + where_ + "." + name);
  return Options(node(name), it->fields, where_.empty() ? name : where_ + "." + name);
}

Error Options::error(const std::string& name, const std::string& code, const std::string& message,
                     const std::string& help) const {
  const Node* found = effective_.find(name);
  return Error(code, message, help, found ? found->place : effective_.place);
}

}  // namespace assay
