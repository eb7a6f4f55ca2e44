// Lists in a study file are axes of a grid, and so is a list of one: it is named, as the others
// are.
#pragma once

#include <string>
#include <vector>

#include "assay/core/node.h"

namespace assay {

/// One point of the grid below a table.
struct GridPoint {
  Node table;                       // every list replaced by one of its entries
  std::vector<std::string> labels;  // "width=64", in the order of the keys; empty = no axis
};

/// The product of all lists below `table`, last axis fastest. A list of tables under a key of
/// `keep` is part of a composition, not an axis. Throws Error config.axis for an empty list.
std::vector<GridPoint> expand(const Node& table, const std::vector<std::string>& keep = {});

}  // namespace assay
