// The table of statistics of pictures.
#include "assay/data/factors/image_statistics.h"

namespace assay {

PictureView::PictureView(std::span<const float> pixels, int64_t channel_count, int64_t side)
    : values(pixels), channels(channel_count), size(side) {
  const auto area = static_cast<size_t>(side * side);
  const std::vector<double> weights =
      channels == 3
          ? std::vector<double>{.299, .587, .114}
          : std::vector<double>(static_cast<size_t>(channels), 1 / static_cast<double>(channels));
  luma.assign(area, 0);
  for (size_t c = 0; c < weights.size(); ++c)
    for (size_t i = 0; i < area; ++i) luma[i] += weights[c] * values[c * area + i];
}

std::span<const ImageStatistic> image_statistics() {
  static constexpr ImageStatistic table[] = {
      {"hue", "content", "dominant hue, from the histogram of hues weighted by chroma", true,
       dominant_hue},
      {"saturation", "content", "mean chroma", true, mean_saturation},
      {"luminance", "content", "mean luma", false, mean_luminance},
      {"contrast", "content", "standard deviation of luma", false, contrast},
      {"orientation", "content", "dominant direction of the gradient of luma", false,
       dominant_orientation},
      {"coherence", "content", "share of gradient energy that has that direction", false,
       orientation_coherence},
      {"detail", "content", "gradient energy over variance of luma", false, fine_detail},
      {"edge-x", "position", "horizontal centre of gradient energy", false, edge_centre_x},
      {"edge-y", "position", "vertical centre of gradient energy", false, edge_centre_y},
  };
  return table;
}

}  // namespace assay
