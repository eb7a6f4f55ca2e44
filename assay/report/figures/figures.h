// The figures of the report, one file each. A figure without numbers has no panels.
#pragma once

#include "assay/report/figures/figure.h"

namespace assay::report {

Figure outcome_figure(const ReportData& data);       // probe bits against FLOPs
Figure gain_figure(const ReportData& data);          // sums over factors at the end
Figure loss_figure(const ReportData& data);          // held-out loss, an objective a panel
Figure snr_figure(const ReportData& data);           // per example, averaged beside live weights
Figure snr_per_flop_figure(const ReportData& data);  // per GFLOP
Figure share_figure(const ReportData& data);         // objective's share of the variance
Figure level_figure(const ReportData& data);         // by noise level
Figure band_figure(const ReportData& data);          // by spatial frequency
Figure layer_figure(const ReportData& data);
Figure metric_figure(const ReportData& data);        // Euclidean, Adam's, of the features' motion
Figure alignment_figure(const ReportData& data);     // of levels and bands with the whole
Figure factor_figure(const ReportData& data);        // gain of every factor
Figure demand_figure(const ReportData& data);        // target SNR against a null prediction
Figure demand_level_figure(const ReportData& data);  // the same, by noise level
Figure drive_figure(const ReportData& data);         // gains of short branches per GFLOP
Figure drive_factor_figure(const ReportData& data);  // the same, factor by factor
Figure law_figure(const ReportData& data);           // bit deficit against FLOPs, by model size
Figure own_law_figure(const ReportData& data);       // the same of each objective's own loss
Figure exponent_figure(const ReportData& data);      // parameters of the laws with intervals
Figure residual_figure(const ReportData& data);      // of the laws
Figure allocation_figure(const ReportData& data);    // compute-optimal size and data
Figure law_holdout_figure(const ReportData& data);   // errors of extrapolation, beside baselines

Table factor_table(const ReportData& data);
Table variance_table(const ReportData& data);
Table layer_level_table(const ReportData& data);       // SNR
Table noise_difference_table(const ReportData& data);  // of paired trials
Table demand_table(const ReportData& data);
Table drive_table(const ReportData& data);
Table law_table(const ReportData& data);
Table law_difference_table(const ReportData& data);

}  // namespace assay::report
