// Teachers: what they follow, what they see, and that no gradient reaches them.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "assay/objective/teacher.h"
#include "assay/store/safetensors.h"
#include "assay/tensor/patches.h"
#include "tests/objective/fixture.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(11), 0);

Tensor state_of(Objective& objective, const std::string& name) {
  for (const auto& [key, tensor] : objective.state())
    if (key == name) return tensor;
  throw std::logic_error("no state " + name);
}

// The momentum is e^(-1/(window·steps)): over a window of steps a teacher keeps 1/e of itself, in
// runs of any length.
TEST(Teacher, WindowIsAFractionOfTheRun) {
  const EmaWindow window{0.1, 0.1};
  for (const int64_t steps : {50, 1000})
    EXPECT_NEAR(std::pow(window.momentum(1, steps), 0.1 * static_cast<double>(steps)), std::exp(-1),
                1e-12);
  const EmaWindow growing{0.0, 0.2};
  EXPECT_EQ(growing.momentum(0, 100), 0);
  EXPECT_NEAR(growing.momentum(50, 100), std::exp(-1 / (0.1 * 100)), 1e-12);
}

TEST(Teacher, FollowsItsStudentAndTakesNoGradient) {
  const auto objective = make_preset("jepa", "target.window = 0.5\ntarget.final_window = 0.5");
  const std::string name = "layers.0.qkv.weight";
  const Tensor student = objective->named_parameters()["trunk." + name];
  const Tensor before = state_of(*objective, "teacher.latent.trunk." + name).clone();
  EXPECT_TRUE(at::equal(before, student));  // it starts as a copy
  training_loss(*objective, objective->losses(make_batch({1, 2}, image_data()), kDraw), 0)
      .backward();
  {
    const torch::NoGradGuard no_gradient;
    student.data().add_(1);
  }
  objective->after_step(1, 10);
  const Tensor after = state_of(*objective, "teacher.latent.trunk." + name);
  EXPECT_LT(largest(after - before - (1 - std::exp(-1 / 5.0))), 1e-5);
  for (const auto& [key, tensor] : objective->state())
    EXPECT_FALSE(tensor.requires_grad() || tensor.grad().defined()) << key;
}

// Measuring (losses without a step after them) leaves teacher and centre alone; training moves
// them.
TEST(Teacher, CentreFollowsTrainingOnly) {
  const auto objective = make_preset("dino", "target.centring = \"mean\"");
  const Batch batch = make_batch({1, 2, 3, 4}, image_data());
  const Tensor first = objective->losses(batch, kDraw).loss.detach().clone();
  EXPECT_EQ(largest(objective->losses(batch, kDraw).loss - first), 0);
  EXPECT_EQ(largest(state_of(*objective, "teacher.views.centre")), 0);
  objective->after_step(1, 100);
  EXPECT_GT(largest(state_of(*objective, "teacher.views.centre")), 0);
}

// I-JEPA's target, written out: layer norm of the teacher's last layer at masked tokens, from the
// complete clean image.
TEST(Teacher, JepaEqualsTheDirectLoss) {
  const auto objective = make_preset("jepa");
  objective->to(at::kDouble);
  const Batch batch = make_batch({3, 8, 21}, image_data());
  const double loss = training_loss(*objective, objective->losses(batch, kDraw), 0).item<double>();
  Setting setting;
  setting.model = small_model();
  setting.tokens = {16, 48};
  const auto blocks = make_part<Corrupt>(
      resolve_part("corrupt", *preset("jepa").find("term")->find("latent")->find("corrupt"),
                   Modality::image, "corrupt"),
      setting, "corrupt");
  const NoiseField field = blocks->field(row_keys(batch), kDraw, at::TensorOptions(at::kDouble));
  TrunkInput whole, seen;
  whole.tokens = seen.tokens = patchify(batch.images.to(at::kDouble), 4);
  seen.kept = field.visible;
  const Tensor teacher = objective->trunk().forward(whole).detach();  // still a copy of the student
  const Tensor target = take_positions(at::layer_norm(teacher, {32}), field.masked);
  const auto head =
      std::dynamic_pointer_cast<Predict>(objective->named_modules()["head.latent.predict"]);
  const Tensor predicted =
      head->predict({objective->trunk().forward(seen), field, Tokens::masked}).values;
  EXPECT_NEAR(loss, at::smooth_l1_loss(predicted, target).item<double>(), 1e-9);
}

// A frozen teacher has the weights of the snapshot, not of the trial; another shape is refused.
TEST(Teacher, FrozenTeacherComesFromASnapshot) {
  const auto source = make_preset("mae");
  std::vector<StoredTensor> tensors;
  for (const auto& item : source->trunk().named_parameters()) {
    const Tensor value = item.value();
    tensors.push_back(
        {fmt::format("averages.trunk.{}", item.key()),
         "F32",
         value.sizes().vec(),
         {reinterpret_cast<const std::byte*>(value.data_ptr<float>()), value.nbytes()}});
  }
  const auto path = std::filesystem::temp_directory_path() /
                    fmt::format("assay-teacher-{}.safetensors", getpid());
  write_safetensors(path, tensors, {});
  const std::string frozen =
      fmt::format("target = {{ teacher = \"frozen\", checkpoint = \"{}\" }}", path.string());
  const DataShape data = image_data();
  const Node resolved = resolve_objective(preset_table("jepa", frozen), small_model(), data);
  const auto objective = make_objective(resolved, small_model(), data, Seed(99));
  const std::string name = "layers.1.mlp_in.weight";
  const Tensor teacher = state_of(*objective, "teacher.latent.trunk." + name);
  EXPECT_TRUE(at::equal(teacher, source->trunk().named_parameters()[name]));
  objective->after_step(1, 10);
  EXPECT_TRUE(at::equal(teacher, source->trunk().named_parameters()[name]));
  ModelConfig wider = small_model();
  wider.width = 64;
  EXPECT_THROW(make_objective(resolve_objective(preset_table("jepa", frozen), wider, data), wider,
                              data, Seed(1)),
               Error);
  std::filesystem::remove(path);
  EXPECT_THROW(resolve_objective(preset_table("jepa", frozen), small_model(), data), Error);
}

}  // namespace
}  // namespace assay
