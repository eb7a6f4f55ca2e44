// Mean and spread of luma.
#include <cmath>
#include <numeric>

#include "assay/data/factors/image_statistics.h"

namespace assay {

double mean_luminance(const PictureView& picture) {
  return std::accumulate(picture.luma.begin(), picture.luma.end(), 0.0) /
         static_cast<double>(picture.luma.size());
}

double contrast(const PictureView& picture) {
  const double mean = mean_luminance(picture);
  double squares = 0;
  for (const double value : picture.luma) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / static_cast<double>(picture.luma.size()));
}

}  // namespace assay
