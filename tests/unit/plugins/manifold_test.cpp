// SPDX-License-Identifier: Apache-2.0
#include "models/diffusing_modulator/diffusing_modulator.h"
#include "models/manifold_basis/manifold_basis.h"
#include "models/manifold_dense/manifold_dense.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

ParamValue text(const char* value) { return std::string(value); }

TEST(ManifoldBasis, HasTheRightGradientForEveryTopology) {
    for (const auto& name : Topology::names()) {
        const Topology shape(name, 7);
        ModelDriver<ManifoldBasis, double> d(
            {{{"topology", name}, {"points", integer(7)}, {"harmonics", integer(3)}}, {{"s", shape.contextUnits()}}});
        for (auto& s : d.input("s")) s = 0.5 + 0.37 * std::tanh(s); // not at a knot, not beyond the ends
        d.expectGradients(1e-6);
    }
}

TEST(ManifoldBasis, WrapsClosedContextsAndContinuesLines) {
    for (const auto& name : Topology::names()) {
        const Topology shape(name, 6);
        const auto K = static_cast<std::size_t>(shape.count());
        std::vector<double> a(K), b(K);
        const double here[2] = {0.3, 0.8}, there[2] = {1.3, -3.2};
        shape.evaluate(here, a.data(), nullptr);
        shape.evaluate(there, b.data(), nullptr);
        double difference = 0, sum = 0;
        for (std::size_t k = 0; k < K; ++k) {
            difference = std::max(difference, std::abs(a[k] - b[k]));
            sum += b[k];
        }
        if (shape.closed()) EXPECT_LT(difference, 1e-12) << name;
        if (!shape.closed() && name != "point") EXPECT_GT(difference, 0.1) << name;
        if (shape.sumsToOne()) EXPECT_NEAR(sum, 1, 1e-12) << name;
    }
}

TEST(ManifoldBasis, IsCutOffAtTheEndsOnRequest) {
    for (const bool clip : {false, true}) {
        ModelDriver<ManifoldBasis, double> d({{{"topology", text("line")}, {"clip", clip}}, {{"s", 1}}, 3, 1});
        d.input("s") = {-0.5, 0.25, 2};
        d.sweep(true);
        EXPECT_EQ(d.output("context"), clip ? (std::vector<double>{0, 0.25, 1}) : d.input("s"));
        EXPECT_EQ(d.inputGradients[0][0] == 0, clip) << "no gradient passes beyond an end";
        EXPECT_NE(d.inputGradients[0][1], 0);
    }
}

TEST(ManifoldBasis, RefusesSupportsThatAreNone) {
    const auto data = ManifoldBasis<double>::declare().data(Kind::model);
    const auto problem = [&](const char* topology, std::vector<double> support) {
        auto values = data.defaults();
        values["topology"] = std::string(topology);
        values["support"] = std::move(support);
        return data.check(values);
    };
    EXPECT_EQ(problem("line", {0, 0.5}), "");
    EXPECT_NE(problem("line", {0, 0.5, 1}).find("pairs"), std::string::npos);
    EXPECT_NE(problem("line", {0.5, 0.5}).find("smaller one first"), std::string::npos);
    EXPECT_NE(problem("torus_sum", {0, 0.5}).find("one number"), std::string::npos);
}

TEST(ManifoldDense, HasTheRightGradient) {
    for (const char* activation : {"identity", "tanh", "softplus"})
        for (const char* modulated : {"all", "bias"})
            for (const bool bias : {true, false}) {
                if (!bias && std::string(modulated) == "bias") continue;
                ModelDriver<ManifoldDense, double> d({{{"units", integer(3)},
                                                       {"activation", text(activation)},
                                                       {"modulated", text(modulated)},
                                                       {"bias", bias}},
                                                      {{"input", 4}, {"point", 2}}});
                d.expectGradients();
            }
}

TEST(ManifoldDense, IsTheLayerWhoseWeightsAreMixed) {
    ModelDriver<ManifoldDense, double> d(
        {{{"units", integer(3)}, {"activation", text("tanh")}}, {{"input", 4}, {"point", 2}}, 2, 3});
    d.sweep(false);
    const auto &W = d.weight("weight"), &b = d.weight("bias"), &x = d.input("input"), &phi = d.input("point");
    for (std::size_t c = 0; c < 6; ++c)
        for (std::size_t j = 0; j < 3; ++j) {
            double sum = 0;
            for (std::size_t k = 0; k < 2; ++k) { // W(s) first, then the product
                sum += phi[2 * c + k] * b[3 * k + j];
                for (std::size_t i = 0; i < 4; ++i) sum += phi[2 * c + k] * W[6 * i + 3 * k + j] * x[4 * c + i];
            }
            EXPECT_NEAR(d.output("output")[3 * c + j], std::tanh(sum), 1e-12);
        }
}

/// A layer whose source is known, as the engine builds it.
struct Built {
    explicit Built(const ParamValues& changed, const Topology& shape, const std::string& topology = "")
        : coordinates{shape.moment({}), shape.sumsToOne(), topology == "circle"},
          declaration(ManifoldDense<double>::declare().data(Kind::model)),
          builder(declaration, {4, shape.count(), 2}, {true, true, false}, 1) {
        auto values = declaration.defaults();
        values["units"] = std::int64_t{2};
        for (const auto& [key, value] : changed) values.at(key) = value;
        builder.setSources([this](int port) { return port == 1 ? &coordinates : nullptr; });
        layer = std::make_unique<ManifoldDense<double>>(ManifoldDense<double>::declare().fill(values), builder);
    }
    const UpdateForm& form(std::size_t tensor = 0) const { return *builder.weights()[tensor].form; }

    Coordinates coordinates;
    DeclarationData declaration;
    Builder builder;
    std::unique_ptr<ManifoldDense<double>> layer;
};

TEST(ManifoldDense, TakesItsPreconditionerFromTheSourceOfThePoint) {
    const Built natural({}, Topology("line"));
    ASSERT_EQ(natural.form().blocks, 2);
    const std::vector<double> inverse{4, -2, -2, 4};
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(natural.form(0).matrix[i], inverse[i], 1e-12);
        EXPECT_NEAR(natural.form(1).matrix[i], inverse[i], 1e-12);
    }
    EXPECT_TRUE(Built({{"gradient", text("plain")}}, Topology("line")).form().matrix.empty());
    const Built centre({{"gradient", text("plain")}, {"point_rates", std::vector<double>{1, 0, 0}}},
                       Topology("ellipse"));
    EXPECT_EQ(centre.form().matrix, (std::vector<double>{1, 0, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_EQ(Built({}, Topology("circle"), "circle").form().circlePort, 1);
    EXPECT_EQ(Built({}, Topology("ellipse")).form().circlePort, -1);
}

TEST(ManifoldDense, StartsAtOnePoint) {
    const auto init = [](const Built& b) { return b.builder.weights()[0].init; };
    EXPECT_FALSE(init(Built({}, Topology("ellipse"))).copies);
    EXPECT_EQ(init(Built({}, Topology("ellipse"))).rows, 2);
    EXPECT_TRUE(init(Built({}, Topology("line"))).copies);
    EXPECT_EQ(init(Built({{"start", text("independent")}}, Topology("line"))).rows, 0);
}

TEST(ManifoldDense, RefusesWhatItCannotDo) {
    const auto refusal = [](const ParamValues& changed, bool known) {
        try {
            if (known) {
                Built built(changed, Topology("ellipse"));
            } else {
                ModelDriver<ManifoldDense, double> d({changed, {{"input", 4}, {"point", 3}}});
            }
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_NE(refusal({{"gradient", text("natural")}}, false).find("model.manifold_basis"), std::string::npos);
    EXPECT_EQ(refusal({}, false), "accepted");
    EXPECT_NE(refusal({{"point_rates", std::vector<double>{1, 2}}}, true).find("3 points"), std::string::npos);
}

TEST(DiffusingModulator, HasTheRightGradientAndField) {
    ModelDriver<DiffusingModulator, double> d({{{"sources", integer(3)}, {"grid", integer(4)}}, {{"release", 3}}});
    d.expectGradients();
    ModelDriver<DiffusingModulator, double> one(
        {{{"sources", integer(1)}, {"grid", integer(2)}, {"reach", 0.5}, {"floor", 0.25}}, {{"release", 1}}, 1, 1});
    one.input("release") = {2};
    one.sweep(false);
    // The source lies at (0.85, 0.5), units at 1/4 and 3/4.
    EXPECT_NEAR(one.output("concentration")[0], 0.25 + 2 * std::exp(-(0.36 + 0.0625) / 0.5), 1e-12);
    EXPECT_NEAR(one.output("concentration")[3], 0.25 + 2 * std::exp(-(0.01 + 0.0625) / 0.5), 1e-12);
}

} // namespace
} // namespace raphe::test
