// A scaling law's form: what it predicts, with derivatives, and where to look for its parameters.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// Columns a law can depend on. Data and unique data share a unit.
enum class LawAxis { model_size, data_size, unique_data, compute };
constexpr std::size_t kLawAxes = 4;
constexpr std::size_t kMostCoefficients = 3, kMostParameters = 8;
std::string_view axis_name(LawAxis axis);    // "model_size", …
std::string_view axis_symbol(LawAxis axis);  // "N", "D", "U", "C"

/// Natural logarithms of the columns, each [count], count a multiple of kLawLanes (kernels.h).
struct LawRows {
  std::array<const double*, kLawAxes> log_column{};
  std::size_t count = 0;
  const double* operator[](LawAxis axis) const {
    return log_column[static_cast<std::size_t>(axis)];
  }
};

/// Units: a column divided by exp(log_axis), the loss divided by exp(log_loss).
struct LawUnits {
  std::array<double, kLawAxes> log_axis{};
  double log_loss = 0;
  double operator[](LawAxis axis) const { return log_axis[static_cast<std::size_t>(axis)]; }
};

struct LawParameter {
  std::string name;  // as in the formula: "E", "A", "alpha"
  std::string unit;  // "loss", "loss N^alpha", "1"
  double low = 0;    // bounds within which a fit seeks it
  double high = std::numeric_limits<double>::infinity();
  std::vector<double> grid = {};  // start values; of a coefficient empty
  /// A place on the form's column where the law bends, the more sharply the smaller the parameter
  /// after it: a minimum may lie between any two rows, so it is sought there too.
  bool bend = false;
  /// Its value in the table's units depends on other parameters too: it has no profile, and no
  /// standard error of its own.
  bool entwined = false;
};

/// L̂ = Σ_k c_k φ_k(x; θ) with coefficients c_k >= 0 and further parameters θ. Parameters are
/// ordered c, θ. Forms are stateless and keep their shape under a change of units, so that fits can
/// be made in units in which the columns are centred.
class Form {
 public:
  virtual ~Form() = default;
  const std::string& name() const { return name_; }
  const std::string& formula() const { return formula_; }
  const std::string& source() const { return source_; }
  const std::vector<LawParameter>& parameters() const { return parameters_; }
  const std::vector<LawAxis>& axes() const { return axes_; }
  bool has(LawAxis axis) const;
  std::size_t coefficients() const { return coefficients_; }
  std::size_t size() const { return parameters_.size(); }
  /// Index of a parameter, or size() if there is none of this name.
  std::size_t index(std::string_view parameter) const;
  /// Fewest rows for which the form is offered.
  std::size_t least_rows() const { return least_rows_; }
  /// φ depends on the coefficients too (repetition law): the inner least squares is iterated.
  virtual bool coupled() const { return false; }

  /// Index in θ of the one parameter that φ_k depends on; kNone, or kSeveral.
  static constexpr int kNone = -1, kSeveral = -2;
  virtual int parameter_of(std::size_t) const { return kSeveral; }

  /// basis [coefficients][rows.count]: φ_k at θ; `coefficients` matter to coupled forms alone,
  /// where null stands for "unknown".
  virtual void basis(const double* theta, const double* coefficients, const LawRows& rows,
                     double* basis) const = 0;
  /// value [rows.count] = L̂ and gradient [size()][rows.count] = ∂L̂/∂parameter.
  virtual void evaluate(const double* parameters, const LawRows& rows, double* value,
                        double* gradient) const = 0;
  /// Parameters found with columns and loss in `units`, expressed in those of the table (in place);
  /// with negated units, the reverse.
  virtual void change_units(const LawUnits& units, double* parameters) const = 0;

 protected:
  Form(std::string name, std::string formula, std::string source, std::vector<LawAxis> axes,
       std::size_t coefficients, std::vector<LawParameter> parameters, std::size_t least_rows = 0);
  /// value = Σ c_k φ_k of the basis that stands in the first rows of `gradient`.
  void sum_terms(const double* parameters, const LawRows& rows, const double* gradient,
                 double* value) const;

 private:
  std::string name_, formula_, source_;
  std::vector<LawAxis> axes_;
  std::size_t coefficients_;
  std::vector<LawParameter> parameters_;
  std::size_t least_rows_;
};

using FormPointer = std::shared_ptr<const Form>;

/// Names: "power", "floor_power", "bounded", "one_break" of one column, and "chinchilla", "tied",
/// "outer", "repetition", "repetition_tied". `axis` is used by forms of one column alone. Throws
/// Error usage.form for an unknown name.
FormPointer make_form(std::string_view name, LawAxis axis = LawAxis::data_size);
const std::vector<std::string>& form_names();

/// `count` values spread evenly between low and high, or evenly in their logarithms.
std::vector<double> even_grid(double low, double high, std::size_t count);
std::vector<double> log_grid(double low, double high, std::size_t count);

// One constructor per file of this folder.
FormPointer make_power(LawAxis axis);
FormPointer make_floor_power(LawAxis axis);
FormPointer make_bounded(LawAxis axis);
FormPointer make_one_break(LawAxis axis);
FormPointer make_chinchilla();
FormPointer make_tied();
FormPointer make_outer();
FormPointer make_repetition(bool tied);

}  // namespace assay
