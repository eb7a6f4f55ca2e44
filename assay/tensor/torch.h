// The only file that names torch headers, and the precompiled header of the torch half.
#pragma once

#include <torch/autograd.h>
#include <torch/nn.h>
#include <torch/optim.h>
#include <torch/types.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace assay {

namespace nn = torch::nn;
using torch::Tensor;

}  // namespace assay
