// The ledger's FLOPs against the products that really run, counted by hooks on the dispatcher.
#include "assay/tensor/torch.h"

#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include "tests/objective/fixture.h"

namespace assay {
namespace {

double counted = 0;

double size(const c10::IValue& value, int64_t dimension) {
  return static_cast<double>(value.toTensor().size(dimension));
}

// Multiply-adds of matrix products and of attention, twice. The backward pass of fused attention
// recomputes its scores; that is a choice of the kernel, not work that the model asks for, so it
// counts as the four products of which it consists without them: twice the forward pass.
std::unique_ptr<at::ObserverContext> count(const at::RecordFunction& function) {
  const std::string name = function.name();
  const auto inputs = function.inputs();
  if (name == "aten::mm") {
    counted += 2 * size(inputs[0], 0) * size(inputs[0], 1) * size(inputs[1], 1);
  } else if (name == "aten::addmm") {
    counted += 2 * size(inputs[1], 0) * size(inputs[1], 1) * size(inputs[2], 1);
  } else if (name == "aten::bmm") {
    counted +=
        2 * size(inputs[0], 0) * size(inputs[0], 1) * size(inputs[0], 2) * size(inputs[1], 2);
  } else if (name.rfind("aten::_scaled_dot_product_flash_attention_for_cpu", 0) == 0) {
    const bool backward = name.find("backward") != std::string::npos;
    const c10::IValue& query = inputs[backward ? 1 : 0];  // [B, H, T, d]
    counted += (backward ? 2 : 1) * 4 * size(query, 0) * size(query, 1) * size(query, 2) *
               size(query, 2) * size(query, 3);
  }
  return nullptr;
}

double count_training_pass(Objective& objective, const Batch& batch) {
  counted = 0;
  const auto handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(count).needsInputs(true));
  // Backward runs on this thread too: CPU-only graphs do.
  training_loss(objective, objective.losses(batch, Draw::from(Seed(3), 0.5)), 0.5).backward();
  at::removeCallback(handle);
  return counted / static_cast<double>(batch.size());
}

class Flops : public testing::TestWithParam<std::string> {};

// Hypothesis: the ledger is within 2% of the graph at the smallest width that studies use. What it
// neglects: the gradient of the patch embedding's input, and elementwise work.
TEST_P(Flops, LedgerAgreesWithTheGraph) {
  ModelConfig model;
  model.width = 64;
  const bool text = data_for(GetParam()).modality == Modality::text;
  DataShape data = text ? text_data(64) : image_data(32);
  const auto objective = make_objective(resolve_objective(preset_table(GetParam()), model, data),
                                        model, data, Seed(1));
  std::vector<int64_t> ids(16);
  for (size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<int64_t>(i);
  const double graph = count_training_pass(*objective, make_batch(ids, data));
  EXPECT_GT(graph, 0);
  EXPECT_NEAR(objective->flops_per_example() / graph, 1, 0.02) << objective->flops_per_example();
}

INSTANTIATE_TEST_SUITE_P(All, Flops, testing::ValuesIn(preset_names()), [](const auto& parameter) {
  std::string name = parameter.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace assay
