// Reads the few Python literals that numpy.lib.format writes.
#include "assay/data/npy_header.h"

#include <charconv>

namespace assay {
namespace {

class Literals {
 public:
  explicit Literals(std::string_view text) : rest_(text) {}

  /// Skips blanks; true, and past it, if `symbol` comes next.
  bool take(std::string_view symbol) {
    skip_blanks();
    if (!rest_.starts_with(symbol)) return false;
    rest_.remove_prefix(symbol.size());
    return true;
  }

  bool at_end() {
    skip_blanks();
    return rest_.empty();
  }

  std::optional<std::string> text() {
    skip_blanks();
    if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string out(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return out;
  }

  std::optional<bool> boolean() {
    if (take("True")) return true;
    if (take("False")) return false;
    return std::nullopt;
  }

  /// "(3, 4)", "(3,)" or "()".
  std::optional<std::vector<int64_t>> integers() {
    if (!take("(")) return std::nullopt;
    std::vector<int64_t> out;
    while (!take(")")) {
      skip_blanks();
      int64_t value = 0;
      const auto [end, problem] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
      if (problem != std::errc() || value < 0) return std::nullopt;
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      out.push_back(value);
      if (!take(",")) return take(")") ? std::optional(out) : std::nullopt;
    }
    return out;
  }

  /// "[('x', '<f4'), …]" as it stands, to the bracket that closes it.
  std::optional<std::string> brackets() {
    skip_blanks();
    int depth = 0;
    for (size_t i = 0; i < rest_.size(); ++i) {
      if (rest_[i] == '[' || rest_[i] == '(') ++depth;
      if (rest_[i] == ']' || rest_[i] == ')') --depth;
      if (depth < 0 || (i == 0 && depth == 0)) return std::nullopt;
      if (depth > 0) continue;
      std::string out(rest_.substr(0, i + 1));
      rest_.remove_prefix(i + 1);
      return out;
    }
    return std::nullopt;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

}  // namespace

std::optional<NpyHeader> parse_npy_header(std::string_view text) {
  Literals literals(text);
  std::optional<std::string> descr;
  std::optional<bool> fortran_order;
  std::optional<std::vector<int64_t>> shape;
  if (!literals.take("{")) return std::nullopt;
  while (!literals.take("}")) {
    const auto key = literals.text();
    if (!key || !literals.take(":")) return std::nullopt;
    if (*key == "descr") {
      descr = literals.text();
      if (!descr) descr = literals.brackets();
    } else if (*key == "fortran_order") {
      fortran_order = literals.boolean();
    } else if (*key == "shape") {
      shape = literals.integers();
    } else {
      return std::nullopt;
    }
    if (literals.take(",")) continue;
    if (!literals.take("}")) return std::nullopt;
    break;
  }
  if (!literals.at_end() || !descr || !fortran_order || !shape) return std::nullopt;
  return NpyHeader{*descr, *fortran_order, *shape};
}

}  // namespace assay
