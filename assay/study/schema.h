// The tables of a study file.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "assay/objective/objective.h"

namespace assay {

/// One [data.NAME], checked, with its defaults.
struct DataTable {
  Node effective;   // with `kind`
  DataShape shape;  // without reading pixels or text
};

struct StudySchema {
  std::string name, question;
  std::map<std::string, DataTable> data;
  Node model, train;             // still with lists: the axes of the grid
  std::vector<Node> objectives;  // likewise
  Node measure, run;             // with their defaults
};

/// Throws Error config.*. Without [data], both views of the World: "scenes" and "captions".
StudySchema read_schema(const Node& root, const std::string& base);

/// base: the folder that relative data paths start from.
DataTable read_data_table(const Node& table, const std::string& where, const std::string& base);

/// [run]: what changes no bit of a result, and so is not part of a trial's id.
std::vector<Option> run_options();

}  // namespace assay
