// Lists in a study file are axes of a grid.
#include "assay/study/grid.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace assay {
namespace {

std::string label(const std::string& key, const Node& value) {
  // A table is named by its kind: `law=logit-normal`.
  const Node* kind = value.find("kind");
  const Node& shown = kind ? *kind : value;
  return fmt::format("{}={}", key, shown.is_text() ? shown.text() : to_json(shown).dump());
}

std::vector<GridPoint> expand_entry(const std::string& key, const Node& value,
                                    const std::vector<std::string>& keep) {
  if (value.is_table()) return expand(value, keep);
  if (!value.is_array() || std::find(keep.begin(), keep.end(), key) != keep.end())
    return {{value, {}}};
  if (value.array().empty())
    throw Error("config.axis", fmt::format("`{}` is an empty list, so the grid has no trial", key),
                "give at least one value", value.place);
  std::vector<GridPoint> points;
  for (const Node& item : value.array()) {
    for (GridPoint& point : expand_entry(key, item, keep)) {
      point.labels.insert(point.labels.begin(), label(key, item));
      point.table.key_place = value.key_place;
      points.push_back(std::move(point));
    }
  }
  return points;
}

}  // namespace

std::vector<GridPoint> expand(const Node& table, const std::vector<std::string>& keep) {
  GridPoint origin{table, {}};
  origin.table.value = Node::Table{};
  std::vector<GridPoint> points = {std::move(origin)};
  if (!table.is_table()) return {{table, {}}};
  for (const auto& [key, value] : table.table()) {
    std::vector<GridPoint> next;
    const auto entries = expand_entry(key, value, keep);
    for (const GridPoint& point : points) {
      for (const GridPoint& entry : entries) {
        GridPoint grown = point;
        grown.table.table()[key] = entry.table;
        grown.labels.insert(grown.labels.end(), entry.labels.begin(), entry.labels.end());
        next.push_back(std::move(grown));
      }
    }
    points = std::move(next);
  }
  return points;
}

}  // namespace assay
