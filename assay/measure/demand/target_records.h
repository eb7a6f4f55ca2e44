// Target SNR as measurements.
#pragma once

#include "assay/measure/demand/target_losses.h"

namespace assay::demand {

/// By term, then by cell of every term: null_loss, target_snr and, for likelihoods, bits_gained.
/// Regularisers have a target_snr that says why there is none.
std::vector<Measurement> target_records(const Subject& subject, Objective& objective,
                                        Weights weights, const TargetLosses& losses,
                                        const TargetPlan& plan);

}  // namespace assay::demand
