// Designs, noise and tables that the tests of laws share.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numbers>
#include <random>
#include <string>
#include <vector>

#include "assay/law/fit/fit.h"

namespace assay::testing {

/// Standard normal numbers that are the same with every standard library.
class Normals {
 public:
  explicit Normals(uint64_t seed) : engine_(seed) {}
  double operator()() {
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
  double uniform() { return (static_cast<double>(engine_() >> 11) + 0.5) * 0x1p-53; }

 private:
  std::mt19937_64 engine_;
};

inline std::vector<double> decades(double low, double span, int count) {
  std::vector<double> out;
  for (int i = 0; i < count; ++i) out.push_back(low * std::pow(10, span * i / (count - 1)));
  return out;
}

/// Every model size with every data size, losses from the form; unique data: a tenth of the
/// largest.
inline std::vector<Observation> crossed(const Form& form, const std::vector<double>& parameters,
                                        const std::vector<double>& sizes,
                                        const std::vector<double>& budgets, double sigma = 0,
                                        uint64_t seed = 1) {
  Normals normal(seed);
  std::vector<Observation> out;
  for (const double size : sizes) {
    for (const double budget : budgets) {
      Observation row;
      row.model_size = size;
      row.data_size = budget;
      row.unique_data = 0.1 * budgets.back();
      row.compute = 6 * size * budget;
      row.loss = predict(form, parameters, row) * std::exp(sigma * normal());
      row.line = static_cast<int64_t>(out.size()) + 2;
      out.push_back(row);
    }
  }
  return out;
}

/// E 1.8, A 480, B 2100, alpha .35, beta .37: about what was published for Chinchilla.
inline const std::vector<double> kChinchillaLike = {1.8, 480, 2100, 0.35, 0.37};
/// n × n sizes and budgets over `span` decades each, around 1e8 parameters and 1e10 tokens.
inline std::vector<Observation> square(int n, double span, double sigma, uint64_t seed) {
  const FormPointer form = make_form("chinchilla");
  return crossed(*form, kChinchillaLike, decades(1e8 * std::pow(10, -span / 2), span, n),
                 decades(1e10 * std::pow(10, -span / 2), span, n), sigma, seed);
}

inline const std::string kLawData = ASSAY_SOURCE_DIR "/../shared/data/laws";
inline bool have_law_data() { return std::filesystem::exists(kLawData); }

/// Cells of a CSV file, the header first; quotes may enclose commas.
inline std::vector<std::vector<std::string>> cells(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::vector<std::string>> out;
  for (std::string line; std::getline(file, line);) {
    out.emplace_back(1);
    bool quoted = false;
    for (const char c : line) {
      if (c == '"') {
        quoted = !quoted;
      } else if (c == ',' && !quoted) {
        out.back().emplace_back();
      } else if (c != '\r') {
        out.back().back() += c;
      }
    }
  }
  return out;
}

/// Hoffmann's figure 4 as read by Besiroglu et al.: D = FLOP/(6 N), without the largest `dropped`
/// losses.
inline std::vector<Observation> epoch_rows(std::size_t dropped = 5) {
  std::vector<Observation> out;
  const auto table = cells(kLawData + "/epoch-chinchilla/svg_extracted_data.csv");
  for (std::size_t i = 1; i < table.size(); ++i) {
    Observation row;
    row.model_size = std::stod(table[i][3]);
    row.compute = std::stod(table[i][4]);
    row.data_size = row.compute / (6 * row.model_size);
    row.loss = std::stod(table[i][6]);
    out.push_back(row);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.loss < b.loss; });
  out.resize(out.size() - dropped);
  return out;
}

}  // namespace assay::testing
