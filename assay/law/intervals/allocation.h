// How a law would spend compute.
#pragma once

#include <optional>
#include <span>

#include "assay/law/forms/form.h"
#include "assay/law/table/observation.h"

namespace assay {

/// Minimises A N^-alpha + B D^-beta under C = k N D (Hoffmann et al. 2022, section 3.3): with
/// G = (alpha A/(beta B))^(1/(alpha+beta)), N* = G (C/k)^a and D* = (C/k)^b/G.
struct Allocation {
  double model_exponent = 0;  // a = beta/(alpha + beta)
  double data_exponent = 0;   // b = alpha/(alpha + beta)
  double model_size = 0;      // N*(C)
  double data_size = 0;       // D*(C)
  double loss_exponent = 0;   // g: along this way L − E falls as C^-g; g = alpha beta/(alpha +
                              // beta), times gamma of "outer"
};

/// For "chinchilla", "tied", "outer" (whose optimum its outer exponent does not move) and the
/// repetition laws (of data that are not repeated); nothing for other forms, or where A, B or an
/// exponent is zero. compute: FLOPs; flops_per: k, FLOPs per parameter and example.
std::optional<Allocation> allocation(const Form& form, std::span<const double> parameters,
                                     double compute, double flops_per = 6);

/// k of C = k N D: the geometric mean of C/(N D) over the rows that have all three; 6, a dense
/// transformer's by tokens, where none has. Trials count examples, and their heads: there it is 6
/// times the tokens of an example and more.
double flops_per(std::span<const Observation> observations);

}  // namespace assay
