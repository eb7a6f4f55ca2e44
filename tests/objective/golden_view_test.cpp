// Losses between views against golden values: contrastive, prototypes, nearest neighbours.
#include "assay/objective/target/prototypes.h"
#include "tests/objective/golden.h"

namespace assay {
namespace {

const Draw kDraw = Draw::from(Seed(3), 0);

std::shared_ptr<Metric> info_nce(const Golden& given, const std::string& negatives) {
  return part<Metric>(
      "info_nce", fmt::format("{}negatives = \"{}\"",
                              real_option("temperature", given.option("temperature")), negatives));
}

// The loss of both directions, the gradient through predictions and targets.
void check_pair(const Golden& given, const std::string& input, const std::string& negatives) {
  const Tensor z = leaf(given.in(input));
  const auto target = part<Target>("other_views", "outputs = 6");
  const Tensor losses = compared(*target, *info_nce(given, negatives), views_of(z));
  EXPECT_TRUE(agrees(losses, given.want("per_anchor")));
  EXPECT_TRUE(agrees(losses.sum(0), given.want("per_example")));
  EXPECT_TRUE(agrees(losses.mean(), given.want("mean")));
  EXPECT_TRUE(agrees(gradient(losses.mean(), z), given.want("gradient")));
}

void nt_xent(const Golden& given) { check_pair(given, "views", "both"); }
const Claim kNtXent({"nt_xent"}, nt_xent);

void one_sided(const Golden& given) { check_pair(given, "queries", "other"); }
const Claim kOneSided({"info_nce_one_sided"}, one_sided);

// Keys from elsewhere carry no gradient. MoCo v3's factor 2T is not ours.
void teacher_keys(const Golden& given) {
  const Tensor queries = leaf(given.in("queries"));
  const auto metric = info_nce(given, "other");
  std::vector<Tensor> rows;
  for (int64_t v = 0; v < 2; ++v)
    rows.push_back(
        loss_of(*metric, queries[v].unsqueeze(1), given.in("keys")[1 - v].unsqueeze(1)).loss);
  const Tensor losses = at::stack(rows);
  EXPECT_TRUE(agrees(losses, given.want("per_anchor")));
  EXPECT_TRUE(agrees(losses.sum({0, 2}), given.want("per_example")));
  EXPECT_TRUE(agrees(losses.mean(), given.want("mean")));
  EXPECT_TRUE(agrees(gradient(losses.mean(), queries), given.want("gradient")));
}
const Claim kTeacherKeys({"info_nce_teacher_keys"}, teacher_keys);

// With stop_gradient the loss is the same, and its gradient another.
TEST(GoldenView, CandidatesAndGradientPathMatter) {
  const Golden& given = golden("nt_xent");
  const Tensor z = leaf(given.in("views"));
  const auto live = part<Target>("other_views", "outputs = 6");
  const Tensor other = compared(*live, *info_nce(given, "other"), views_of(z));
  EXPECT_FALSE(agrees(other.mean(), given.want("mean")));
  const auto stopped = part<Target>("other_views", "outputs = 6\nstop_gradient = true");
  const Tensor mean = compared(*stopped, *info_nce(given, "both"), views_of(z)).mean();
  EXPECT_TRUE(agrees(mean, given.want("mean")));
  EXPECT_FALSE(agrees(gradient(mean, z), given.want("gradient")));
}

// A head that gives prepared logits, one call after the other. [calls, B, K]
class GivenLogits : public Predict {
 public:
  explicit GivenLogits(Tensor logits) : logits_(std::move(logits)) {}
  Prediction predict(const Input&) override {
    Prediction out;
    out.values = logits_[next_++].unsqueeze(1);
    return out;
  }
  double flops(int64_t, int64_t) const override { return 0; }

 private:
  Tensor logits_;
  int64_t next_ = 0;
};

std::shared_ptr<Trunk> tiny_trunk() {
  ModelConfig config;
  config.width = 8;
  config.depth = 1;
  config.heads = 2;
  auto trunk = std::make_shared<Trunk>(config, TokenShape{4, 4}, Seed(1));
  trunk->to(at::kDouble);
  return trunk;
}

std::shared_ptr<Target> prototypes(const Golden& given) {
  Setting setting;
  setting.data.image_size = 8;
  setting.global_views = 2;
  const auto target = part<Target>(
      "prototypes",
      real_option("temperature", given.option("teacher_temperature")) +
          real_option("centre_momentum", given.option("centre_momentum")) + "count = 6",
      setting);
  const Tensor logits = given.in("teacher");
  target->attach({tiny_trunk(), std::make_shared<GivenLogits>(logits), tiny_trunk,
                  [logits] { return std::make_shared<GivenLogits>(logits); }});
  target->named_buffers()["centre"].copy_(given.in("centre"));
  return target;
}

// Two large crops and two small ones: the teacher sees the large ones, and no crop is its own
// target.
void dino(const Golden& given) {
  for (int64_t t = 0; t < 2; ++t)
    EXPECT_TRUE(agrees(centred_distribution(given.in("teacher")[t], given.in("centre"),
                                            given.option("teacher_temperature")),
                       given.want("teacher_probabilities")[t]));

  const auto target = prototypes(given);
  const Tensor student = leaf(given.in("student"));
  std::vector<View> views = views_of(student);
  for (size_t v = 0; v < views.size(); ++v) {
    const int64_t side = v < 2 ? 8 : 4;
    views[v].batch.images = at::zeros({3, 1, side, side});
    views[v].clean = at::zeros({3, 4, 4}, at::kDouble);
  }
  Setting setting = plain_setting(6, Tokens::pooled);
  setting.target.classes = {6};
  const auto metric = part<Metric>(
      "cross_entropy", real_option("temperature", given.option("student_temperature")), setting);
  const Tensor losses = compared(*target, *metric, views);  // [pairs, B]

  std::vector<Tensor> pairs;
  for (int64_t t = 0; t < 2; ++t)
    for (int64_t v = 0; v < 4; ++v)
      if (v != t) pairs.push_back(given.want("per_pair")[t][v]);
  EXPECT_EQ(target->comparisons(4), 6);
  EXPECT_TRUE(agrees(losses, at::stack(pairs)));
  EXPECT_TRUE(agrees(losses.mean(0), given.want("per_example")));
  EXPECT_TRUE(agrees(losses.mean(), given.want("loss")));
  EXPECT_TRUE(agrees(gradient(losses.mean(), student), given.want("gradient")));

  target->after_step(1, 10);
  EXPECT_TRUE(agrees(target->named_buffers()["centre"], given.want("new_centre")));
}
const Claim kDino({"dino"}, dino);

void sinkhorn(const Golden& given) {
  const Tensor ours = sinkhorn_distribution(given.in("scores"), given.option("temperature"));
  EXPECT_TRUE(agrees(ours, given.want("assignment")));
  EXPECT_FALSE(agrees(centred_distribution(given.in("scores"), {}, given.option("temperature")),
                      given.want("assignment")));
}
const Claim kSinkhorn({"sinkhorn"}, sinkhorn);

void koleo(const Golden& given) {
  const auto regulariser = part<Regularise>("koleo", "weight = 1.0");
  const Tensor z = leaf(given.in("features"));
  const Tensor loss = regulariser->loss(views_of(z.unsqueeze(0)), kDraw, {});
  EXPECT_TRUE(agrees(loss, given.want("per_example")));
  EXPECT_TRUE(agrees(loss.mean(), given.want("loss")));
  EXPECT_TRUE(agrees(gradient(loss.mean(), z), given.want("gradient")));
  // Over two equal views: the mean, not the sum.
  const Tensor twice = regulariser->loss(views_of(at::stack({z, z})), kDraw, {});
  EXPECT_TRUE(agrees(twice.mean(), given.want("loss")));
}
const Claim kKoleo({"koleo"}, koleo);

}  // namespace
}  // namespace assay
