// The losses of presets with labels, masked bytes, prototypes and SIGReg, written a second time.
#include "assay/objective/target/label_map.h"
#include "tests/objective/sample.h"

namespace assay {
namespace {

TEST(PresetLoss, SupervisedCoarseIsTheSurpriseAtTheGroupOfTheLabel) {
  Sample run("supervised-coarse", "label");
  const Tensor logits = projections(run, 1, 0.5).front();
  const int64_t labels = image_data().factors.front().cardinality;
  const Tensor groups =
      at::tensor(coarse_classes(labels, class_entropy(narrow_classes(labels, 2))));
  const Tensor group = groups.index_select(0, run.batch.labels.select(1, 0));
  expect_close(run.loss(), -logits.log_softmax(1).gather(1, group.unsqueeze(1)).mean());
}

// Masked bytes are replaced by one learned vector; every position sees both sides.
TEST(PresetLoss, MaskedBytesAreReadFromBothSides) {
  Sample run("token-masked", "tokens");
  run.batch = make_batch({3, 8, 21, 40}, text_data());
  const NoiseField field = field_of(run, "token-masked", "tokens", text_data(), {12, 0});
  TrunkInput input;
  input.tokens = run.batch.bytes.narrow(1, 0, 12);
  input.masked = field.masked;
  input.mask_token = run.objective->named_parameters()["head.tokens.mask_token"];
  const Tensor logits =
      run.head->predict({run.objective->trunk().forward(input), field, Tokens::masked}).values;
  const Tensor bytes = input.tokens.gather(1, field.masked);
  expect_close(run.loss(), -logits.log_softmax(2).gather(2, bytes.unsqueeze(2)).mean());
}

// Sinkhorn-Knopp as DINOv2 writes it: prototypes in rows, samples in columns. [B, K] to [B, K]
Tensor sinkhorn(const Tensor& logits) {
  Tensor q = (logits / 0.04).exp().t();
  q = q / q.sum();
  for (int i = 0; i < 3; ++i) {
    q = q / q.sum(1, true) / static_cast<double>(q.size(0));
    q = q / q.sum(0, true) / static_cast<double>(q.size(1));
  }
  return (q * static_cast<double>(q.size(1))).t();
}

// Two large and four small crops; the teacher sees the large ones.
TEST(PresetLoss, DinoMatchesTheTeachersPrototypes) {
  Sample run("dino", "views");
  const auto modules = run.objective->named_modules();
  const auto trunk = std::dynamic_pointer_cast<Trunk>(modules["teacher.views.trunk"]);
  const auto head = std::dynamic_pointer_cast<Predict>(modules["teacher.views.predict"]);
  Setting setting;
  setting.model = small_model();
  setting.data = image_data();
  setting.tokens = {16, 48};
  const Node table = resolve_part(
      "views", *preset("dino").find("term")->find("views")->find("views"), Modality::image, "v");
  std::vector<Tensor> logits, taught;
  for (const Batch& view : make_part<Views>(table, setting, "v")->views(run.batch, kDraw)) {
    TrunkInput input;
    input.tokens = patchify(view.images.to(at::kDouble), 4);
    logits.push_back(run.predicted(input.tokens, {}, false, Tokens::pooled).squeeze(1));
    if (taught.size() < 2)
      taught.push_back(
          head->predict({trunk->forward(input), NoiseField(), Tokens::pooled}).values.squeeze(1));
  }
  ASSERT_EQ(logits.size(), 6u);
  Tensor total = at::zeros({}, at::kDouble);
  for (size_t w = 0; w < 2; ++w)
    for (size_t v = 0; v < 6; ++v)
      if (v != w)
        total = total - (sinkhorn(taught[w]) * (logits[v] / 0.1).log_softmax(1)).sum(1).mean() / 10;
  expect_close(run.loss(), total);
}

// .98 of the match and .02 of SIGReg: per view and direction N · ∫ e^(-t²/2)|φ(t) - e^(-t²/2)|² dt,
// 17 knots on [0, 3], doubled.
TEST(PresetLoss, LejepaWithItsRegulariser) {
  Sample run("lejepa", "views", "regularise.sigreg.slices = 16");
  const std::vector<Tensor> views = projections(run, 4, 0.3);
  const Tensor all = at::stack(views);
  Tensor slices = normal_tensor(kDraw.pattern.child("slices"), {32, 16}, 1).to(at::kDouble);
  slices = slices / slices.norm(2, 0, true);
  double sigreg = 0;
  for (const Tensor& z : views)
    for (int k = 0; k <= 16; ++k) {
      const double t = 3.0 * k / 16, gauss = std::exp(-t * t / 2);
      const double step = 2 * 3.0 / 16 * (k == 0 || k == 16 ? .5 : 1);
      const Tensor angle = z.matmul(slices) * t;
      const Tensor distance = (angle.cos().mean(0) - gauss).square() + angle.sin().mean(0).square();
      sigreg += step * gauss * 4 * distance.mean().item<double>() / 4;
    }
  const Tensor match = (all - all.mean(0, true)).square().mean();
  expect_close(run.loss(), 0.98 * match + 0.02 * sigreg);
}

}  // namespace
}  // namespace assay
