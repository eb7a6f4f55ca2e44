// Structural bits: against an integral of the law, against published ones, and where there are
// none.
#include "assay/law/fitted/epiplexity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "assay/core/error.h"
#include "law/laws.h"

namespace assay {
namespace {

using namespace testing;
using ::testing::HasSubstr;

// ∫₀ᴰ (L(x) − L(D)) dx from `low`, by Simpson's rule in log x.
double integral(const DataTerm& term, double floor, double low, double data) {
  const auto loss = [&](double x) {
    return floor + term.coefficient * std::pow(x, -term.exponent);
  };
  constexpr int kSteps = 20000;
  const double step = std::log(data / low) / kSteps;
  double sum = 0;
  for (int i = 0; i <= kSteps; ++i) {
    const double x = low * std::exp(step * i);
    const double weight = i == 0 || i == kSteps ? 1 : i % 2 == 1 ? 4 : 2;
    sum += weight * x * (loss(x) - loss(data));
  }
  return sum * step / 3;
}

TEST(Epiplexity, IsTheAreaOfTheLawAboveItsFinalValue) {
  for (const double b : {0.07, 0.2849, 0.5, 0.9}) {
    const DataTerm term{std::pow(3e7, b), b};
    // What lies below `low` is (low/D)^(1−b)/b of it: 1e-30 of D to the 1 − b.
    const double low = 2e10 * std::pow(1e-16, 1 / (1 - b)),
                 area = structural_information(term, 2e10);
    EXPECT_NEAR(integral(term, 1.7, low, 2e10) / area, 1, 1e-9) << b;
    EXPECT_NEAR(b / (1 - b) * std::pow(3e7, b) * std::pow(2e10, 1 - b) / area, 1, 1e-13);
    const double seen = 1e8, above = integral(term, 0, seen, 2e10);
    // Above `seen` the area over L(D) is the integral; below it, the rest.
    EXPECT_NEAR(extrapolated_share(term, seen, 2e10), 1 - above / area, 1e-9) << b;
  }
  EXPECT_DOUBLE_EQ(extrapolated_share({1, 0.3}, 5, 5), 1);
}

TEST(Epiplexity, RefusesAnInfiniteAreaAndALossThatDoesNotFall) {
  for (const DataTerm& term :
       {DataTerm{10, 1}, DataTerm{10, 1.2}, DataTerm{10, 0}, DataTerm{10, -0.1}, DataTerm{-1, 0.5}})
    EXPECT_THROW(structural_information(term, 100), Error) << term.exponent;
  EXPECT_THROW(structural_information({10, 0.5}, 0), Error);
  EXPECT_THROW(bounded_information({1, 10, 0.3, {10, 1.1}}, 1e20, 1e9), Error);
  EXPECT_THROW(bounded_information({1, 0, 0.3, {10, 0.5}}, 1e20, 1e9), Error);
}

TEST(Epiplexity, TheTermOfDataByForm) {
  const auto chinchilla = data_term(*make_form("chinchilla"), kChinchillaLike);
  EXPECT_EQ(chinchilla->coefficient, 2100);
  EXPECT_EQ(chinchilla->exponent, 0.37);
  const std::vector<double> tied = {1.8, 480, 2100, 0.35}, floor = {1.8, 480, 0.35};
  EXPECT_EQ(data_term(*make_form("tied"), tied)->exponent, 0.35);
  EXPECT_EQ(data_term(*make_form("floor_power"), floor)->coefficient, 480);
  EXPECT_FALSE(data_term(*make_form("floor_power", LawAxis::model_size), floor));
  EXPECT_FALSE(data_term(*make_form("outer"), std::vector<double>(6, 0.5)));
}

TEST(Epiplexity, UnitsWithBlanksAndWithoutADatum) {
  EXPECT_EQ(bits_per_loss({"nats / token", "tokens"}).failure, "");
  EXPECT_EQ(bits_per_loss({"bits/", "tokens"}).factor, 1);
  EXPECT_EQ(bits_per_loss({"nats per ", "tokens"}).failure, "");
  EXPECT_NE(bits_per_loss({"/token", "tokens"}).failure, "");
}

TEST(Epiplexity, UnitsOfTheLoss) {
  const auto factor = [](const char* loss, const char* data) {
    return bits_per_loss({loss, data}).factor;
  };
  EXPECT_DOUBLE_EQ(factor("nats", "unknown"), 1 / std::numbers::ln2);
  EXPECT_EQ(factor("bits", "unknown"), 1);
  EXPECT_EQ(factor("bits per token", "tokens"), 1);
  EXPECT_DOUBLE_EQ(factor("Nats/image", "images"), 1 / std::numbers::ln2);
  for (const auto& [loss, data, why] :
       {std::tuple("unknown", "tokens", "--loss-unit"),
        std::tuple("squared error", "tokens", "nats"),
        std::tuple("bits per byte", "tokens", "per byte, and D counts tokens"),
        std::tuple("nats per token", "unknown", "unknown unit")}) {
    EXPECT_EQ(factor(loss, data), 0) << loss;
    EXPECT_THAT(bits_per_loss({loss, data}).failure, HasSubstr(why));
  }
}

std::vector<Observation> sweep() {  // every datum seen once
  auto rows = square(5, 3, 0.002, 51);
  for (Observation& row : rows) row.unique_data = Observation::kUnknown;
  return rows;
}

struct Fitted {
  LawProblem problem;
  LawFit fit;
  LawBootstrap draws;
};

Fitted fitted(const std::vector<Observation>& rows) {
  Fitted out{law_problem(rows, make_form("chinchilla")), {}, {}};
  out.fit = fit_law(out.problem);
  out.draws = bootstrap(out.problem, out.fit, {.resamples = 400});
  return out;
}

StructuralBits bits_of(const Fitted& law, const std::vector<Observation>& rows,
                       const LawUnitNames& units, bool identified = true) {
  return *structural_bits(law.problem, law.fit, identified, &law.draws, rows, units);
}

TEST(Epiplexity, OfAFittedLawInItsUnit) {
  const auto rows = sweep();
  const Fitted law = fitted(rows);
  const StructuralBits nats = bits_of(law, rows, {"nats", "tokens"});
  const double truth =
      structural_information({2100, 0.37}, rows.back().data_size) / std::numbers::ln2;
  EXPECT_EQ(nats.failure, "");
  EXPECT_EQ(nats.data, rows.back().data_size);
  EXPECT_LT(nats.limits->low, truth);
  EXPECT_GT(nats.limits->high, truth);
  EXPECT_LT(nats.limits->high / nats.limits->low, 1.5);
  EXPECT_NEAR(nats.extrapolated, extrapolated_share({2100, 0.37}, 1, 1000), 0.01);
  const StructuralBits bits = bits_of(law, rows, {"bits", "tokens"});
  EXPECT_NEAR(bits.bits / nats.bits, std::numbers::ln2, 1e-12);
  EXPECT_NEAR(bits.limits->high / nats.limits->high, std::numbers::ln2, 1e-12);
}

// Of several rows at the largest D one saw its data twice, wherever it stands.
TEST(Epiplexity, RepeatedDataAreSeenInAnyOrderOfRows) {
  const Fitted law = fitted(sweep());
  for (const std::size_t place : {4u, 14u, 24u}) {  // one of the five of each size
    auto rows = sweep();
    ASSERT_EQ(rows[place].data_size, rows.back().data_size);
    rows[place].unique_data = 0.1 * rows[place].data_size;
    EXPECT_THAT(bits_of(law, rows, {"nats", "tokens"}).failure, HasSubstr("several times"))
        << place;
  }
}

TEST(Epiplexity, SaysWhyThereIsNone) {
  auto rows = sweep();
  const Fitted law = fitted(rows);
  EXPECT_THAT(bits_of(law, rows, {}).failure, HasSubstr("--loss-unit"));
  EXPECT_THAT(bits_of(law, rows, {"nats"}, false).failure, HasSubstr("identify"));
  rows.back().unique_data = rows.back().data_size / 2;
  EXPECT_THAT(bits_of(law, rows, {"nats"}).failure, HasSubstr("several times"));
  LawProblem outer = law_problem(sweep(), make_form("outer"));
  const LawFit fit = fit_law(outer);
  EXPECT_THAT(structural_bits(outer, fit, true, nullptr, rows, {"nats"})->failure,
              HasSubstr("outer"));
  outer.form = make_form("floor_power", LawAxis::model_size);
  EXPECT_FALSE(structural_bits(outer, fit, true, nullptr, rows, {"nats"}));
}

// Planted: exponents from 1 on in the resamples leave the interval open, and are not left out.
TEST(Epiplexity, ResamplesWithAnInfiniteAreaLeaveTheIntervalOpen) {
  const auto rows = sweep();
  Fitted law = fitted(rows);
  for (int k = 0; k < law.draws.kept; k += 10)
    law.draws.draws[static_cast<std::size_t>(k) * 5 + 4] = 1.02;
  const StructuralBits open = bits_of(law, rows, {"nats"});
  EXPECT_TRUE(std::isinf(open.limits->high));
  EXPECT_LT(open.limits->low, open.bits);
}

// Published: arXiv:2601.03220, notebooks/scaling_laws.ipynb of github.com/shikaiqiu/epiplexity,
// from fitted constants of Henighan et al. (2020) and Hoffmann et al. (2022); 1e12 test tokens,
// 1e25 FLOP.

struct Domain {
  const char* name;
  double vocabulary, context;
  const char *alpha, *beta, *structural, *random, *share, *limit;
};

// The first laws count parameters and FLOPs without embedding and head; with them, over the fitted
// range of compute (vocabulary V, context, aspect ratio 5), sizes and losses follow other powers.
struct Corrected {
  double gamma, delta, cstar, floor;
};

Corrected with_embeddings(const Domain& domain, double gamma, double delta, double c0, double cstar,
                          double floor) {
  std::vector<Observation> rows(20);
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const double compute = 8.64e19 * 1e-6 * std::pow(1e5, static_cast<double>(i) / 19);
    const double size = std::pow(compute / cstar, delta);
    const double width = std::cbrt(5.0 / 12) * std::cbrt(size);
    const double all = size + (2 * domain.vocabulary + domain.context) * width;
    rows[i].compute = compute * all / size;
    rows[i].loss = floor + std::pow(compute / c0, -gamma);
    const double x = std::log(rows[i].compute), y = std::log(all);
    sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  const double slope = (20 * sxy - sx * sy) / (20 * sxx - sx * sx);
  const LawFit law = fit_law(law_problem(rows, make_form("floor_power", LawAxis::compute)),
                             {.loss = RobustLoss::least_squares()});
  return {law.parameters[2], slope, std::exp((sx - sy / slope) / 20), law.parameters[0]};
}

std::string digits(double value, int count) {  // 7.951e10
  char text[40];
  std::snprintf(text, sizeof text, "%.*e", count, value);
  std::string out = text;
  return out.replace(out.find('e'), 2, "e");
}
std::string fixed(double value, int count) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", count, value);
  return text;
}

void expect_published(const Domain& domain, const std::vector<std::string>& row) {
  const auto cell = [&](std::size_t i) { return std::stod(row[i]); };
  constexpr double kPetaflopDay = 8.64e19;
  const double n0 = cell(5);
  Corrected law{cell(3), cell(9), cell(8) * kPetaflopDay, cell(7)};
  if (row[0] != "Chinchilla")
    law =
        with_embeddings(domain, law.gamma, law.delta, cell(6) * kPetaflopDay, law.cstar, law.floor);
  const double alpha = law.gamma / law.delta, beta = law.gamma / (1 - law.delta);
  // D0 such that N* = (C/C*)^delta minimises (N0/N)^alpha + (D0/D)^beta under C = 6 N D.
  const double d0 = law.cstar / 6 * std::pow(n0, alpha / beta) * std::pow(beta / alpha, -1 / beta);
  const NatsLaw nats{law.floor, std::pow(n0, alpha), alpha, {std::pow(d0, beta), beta}};
  const BoundedInformation found = bounded_information(nats, 1e25, 1e12);
  EXPECT_EQ(fixed(alpha, 4), domain.alpha) << domain.name;
  EXPECT_EQ(fixed(beta, 4), domain.beta) << domain.name;
  EXPECT_EQ(digits(found.structural_bits, 3), domain.structural) << domain.name;
  EXPECT_EQ(digits(found.random_bits, 3), domain.random) << domain.name;
  const double share = found.structural_bits / (found.structural_bits + found.random_bits);
  EXPECT_EQ(fixed(100 * share, 3), domain.share) << domain.name;
  const double limit = structural_information(nats.data, 1e12) / std::numbers::ln2;
  EXPECT_EQ(digits(limit, 3), domain.limit) << domain.name;
}

TEST(Epiplexity, PublishedTable) {
  const std::string path = kLawData + "/epiplexity-openai-chinchilla/openai+chinchilla.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no ../shared/data/laws here";
  const Domain domains[] = {
      {"Chinchilla", 32000, 1024, "0.3392", "0.2849", "7.951e10", "2.725e12", "2.835", "9.000e10"},
      {"Image_VQ_16x16", 4096, 256, "0.3217", "0.4408", "1.264e10", "6.129e12", "0.206",
       "1.371e10"},
      {"Image_VQ_32x32", 1024, 1024, "0.2872", "0.5599", "1.242e10", "4.806e12", "0.258",
       "1.388e10"},
      {"Video_VQ_16x16x16", 4096, 4096, "0.4277", "0.7179", "7.237e09", "1.657e12", "0.435",
       "7.486e09"},
      {"Image_32x32", 256, 3072, "0.2576", "0.3994", "4.478e09", "3.323e12", "0.135", "5.024e09"},
      {"Image_16x16", 256, 768, "0.3066", "0.8200", "2.905e09", "3.869e12", "0.075", "3.146e09"},
      {"Image_8x8", 256, 192, "0.3309", "0.5659", "1.189e09", "4.531e12", "0.026", "1.315e09"}};
  int seen = 0;
  for (const auto& row : cells(path))
    for (const Domain& domain : domains)
      if (row[0] == domain.name) {
        expect_published(domain, row);
        ++seen;
      }
  EXPECT_EQ(seen, 7);
}

}  // namespace
}  // namespace assay
