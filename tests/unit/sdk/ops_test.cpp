// SPDX-License-Identifier: Apache-2.0
#include "raphe/ops.h"

#include "raphe/random.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include <cstdlib>
#include <fstream>
#include <functional>

namespace raphe {
namespace {

using V = Value<double>;
using Operation = std::function<V(const std::vector<V>&)>;

struct Shape {
    int rows, cols;
};

/// Loss = sum(random weights .* result) of an operation on random operands: its adjoints against central differences.
void expectGradient(const std::vector<Shape>& shapes, const Operation& operation, double spread = 1) {
    Stream random(3, addressOf("operands"), 0, 0, 0);
    std::vector<std::vector<double>> operands;
    for (auto shape : shapes) {
        operands.emplace_back(static_cast<std::size_t>(shape.rows * shape.cols));
        for (auto& x : operands.back()) x = spread * random.normal();
    }
    std::vector<std::vector<double>> adjoints;
    for (const auto& operand : operands) adjoints.emplace_back(operand.size());
    Tape<double> tape;
    std::vector<double> weights;
    const auto loss = [&](bool record) {
        tape.clear();
        tape.setRecording(record);
        std::vector<V> values;
        for (std::size_t i = 0; i < shapes.size(); ++i)
            values.push_back(
                {&tape, operands[i].data(), record ? adjoints[i].data() : nullptr, shapes[i].rows, shapes[i].cols});
        const V y = operation(values);
        while (weights.size() < y.size()) weights.push_back(random.normal());
        double sum = 0;
        for (std::size_t i = 0; i < y.size(); ++i) sum += weights[i] * y.data[i];
        if (record) {
            for (std::size_t i = 0; i < y.size(); ++i) y.adjoint[i] += weights[i];
            tape.backward();
        }
        return sum;
    };
    loss(true);
    const double h = 1e-6;
    for (std::size_t i = 0; i < operands.size(); ++i)
        for (std::size_t e = 0; e < operands[i].size(); ++e) {
            const double old = operands[i][e];
            operands[i][e] = old + h;
            const double up = loss(false);
            operands[i][e] = old - h;
            const double down = loss(false);
            operands[i][e] = old;
            EXPECT_NEAR(adjoints[i][e], (up - down) / (2 * h), 1e-7 * std::max(1.0, std::abs(adjoints[i][e])))
                << "operand " << i << ", entry " << e;
        }
}

/// The operation with frozen operands: they have no adjoints, and nothing may be written to them.
void expectWorksWithoutAdjoints(const std::vector<Shape>& shapes, const Operation& operation) {
    Tape<double> tape;
    tape.setRecording(true);
    std::vector<V> values;
    for (auto shape : shapes) values.push_back(tape.constant(shape.rows, shape.cols, 0.3));
    const V y = operation(values);
    if (y.adjoint) std::fill_n(y.adjoint, y.size(), 1.0);
    tape.backward();
    SUCCEED();
}

void check(const std::vector<Shape>& shapes, const Operation& operation) {
    expectGradient(shapes, operation);
    expectWorksWithoutAdjoints(shapes, operation);
}

constexpr Activation allActivations[] = {Activation::identity, Activation::tanh,     Activation::sigmoid,
                                         Activation::relu,     Activation::softplus, Activation::srelu};

TEST(Ops, AffineHasTheRightGradient) {
    check({{4, 3}, {3, 5}}, [](auto& v) { return affine(v[0], v[1]); });
    check({{4, 3}, {3, 5}, {4, 1}}, [](auto& v) { return affine(v[0], v[1], v[2]); });
}

TEST(Ops, ActivationsHaveTheRightGradient) {
    for (auto f : allActivations) {
        SCOPED_TRACE(static_cast<int>(f));
        check({{5, 7}}, [f](auto& v) { return 1.5 * activate(f, v[0]); });
    }
}

TEST(Ops, AffineActivationHasTheRightGradient) {
    for (auto f : allActivations) {
        SCOPED_TRACE(static_cast<int>(f));
        const auto into = [f](auto& v) {
            return affineActivation(f, v[0], v[1], v.size() > 2 ? v[2] : V{}, v[1].tape->make(v[0].rows, v[1].cols));
        };
        check({{4, 3}, {3, 5}, {4, 1}}, into);
        check({{4, 3}, {3, 5}}, into);
    }
}

TEST(Ops, SumsDifferencesAndProductsHaveTheRightGradientForAllBroadcasts) {
    for (Shape other : {Shape{3, 4}, Shape{1, 4}, Shape{3, 1}, Shape{1, 1}})
        for (bool swapped : {false, true}) {
            const std::vector<Shape> shapes =
                swapped ? std::vector{other, Shape{3, 4}} : std::vector{Shape{3, 4}, other};
            check(shapes, [](auto& v) { return v[0] + v[1]; });
            check(shapes, [](auto& v) { return v[0] - v[1]; });
            check(shapes, [](auto& v) { return v[0] * v[1]; });
        }
    check({{3, 1}, {1, 4}}, [](auto& v) { return v[0] * v[1]; });
}

TEST(Ops, OperandsThatAreUsedTwiceCollectBothGradients) {
    check({{3, 4}}, [](auto& v) { return v[0] * v[0] + tanh(v[0]); });
}

TEST(Ops, ScalingAndShiftingHaveTheRightGradient) {
    check({{3, 4}}, [](auto& v) { return -2.0 * v[0] + 0.7; });
}

TEST(Ops, StackingAndJoiningHaveTheRightGradient) {
    check({{2, 4}, {3, 4}}, [](auto& v) { return stackRows(v[0], v[1]); });
    check({{3, 2}, {3, 4}}, [](auto& v) { return joinColumns(v[0], v[1]); });
}

TEST(Ops, CopiesAndSlicesHaveTheRightGradient) {
    check({{3, 4}}, [](auto& v) {
        const V y = v[0].tape->make(3, 2);
        copyInto(y, v[0].columns(1, 2));
        return y;
    });
}

TEST(Ops, SoftmaxHasTheRightGradient) {
    check({{5, 3}}, [](auto& v) { return softmax(v[0]); });
}

TEST(Ops, SoftmaxCrossEntropyHasTheRightGradientAndValue) {
    const int target[] = {2, 0, 1};
    check({{3, 3}}, [&](auto& v) { return softmaxCrossEntropy(v[0], target); });
    Tape<double> tape;
    const V x = tape.constant(4, 1, 1000.0); // large logits must not overflow
    EXPECT_NEAR(softmaxCrossEntropy(x, target).data[0], std::log(4.0), 1e-12);
}

TEST(Ops, ActivationsAreFiniteFarFromZero) {
    for (auto f : allActivations)
        for (float x : {-1e4f, 1e4f}) {
            Eigen::Array<float, 1, 1> in, out;
            in << x;
            applyActivation<float>(f, in, out);
            EXPECT_TRUE(std::isfinite(out(0))) << static_cast<int>(f);
        }
}

TEST(Orthonormalise, HasTheRightGradient) {
    for (auto convention : {Orthonormal::householder, Orthonormal::positive})
        for (Shape shape : {Shape{6, 1}, Shape{7, 3}, Shape{4, 4}})
            expectGradient({shape}, [=](auto& v) { return orthonormalise(convention, v[0]); });
}

TEST(Orthonormalise, GivesOrthonormalColumnsThatSpanThoseOfItsOperand) {
    EXPECT_TRUE(rc::check("Q^T Q = 1 and Q Q^T L = L", [](std::uint64_t seed) {
        const int cols = *rc::gen::inRange(1, 6), rows = cols + *rc::gen::inRange(0, 10);
        Stream random(seed, 1, 0, 0, 0);
        Tape<double> tape;
        V L = tape.make(rows, cols);
        for (std::size_t i = 0; i < L.size(); ++i) L.data[i] = random.normal();
        const Matrix<double> before = L.value();
        const V Q = orthonormalise(Orthonormal::positive, L);
        RC_ASSERT((Q.value().transpose() * Q.value() - Matrix<double>::Identity(cols, cols)).norm() < 1e-12);
        RC_ASSERT((Q.value() * (Q.value().transpose() * before) - before).norm() < 1e-10);
    }));
}

// qr.json: factors and gradients by automatic differentiation, made independently in float64 (see the specification of
// the NM-RNN, section 9); agreement up to rounding.
TEST(Orthonormalise, AgreesWithTheGoldenFactorisations) {
    const char* folder = std::getenv("RAPHE_GOLDEN_DIR");
    std::ifstream file(std::string(folder ? folder : RAPHE_GOLDEN_FOLDER) + "/nm_rnn/qr.json");
    ASSERT_TRUE(file) << "no golden data";
    using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const auto read = [](const nlohmann::json& j) {
        const auto values = j.at("data").get<std::vector<double>>();
        return Matrix<double>(
            Eigen::Map<const RowMajor>(values.data(), j.at("shape")[0].get<int>(), j.at("shape")[1].get<int>()));
    };
    const auto golden = nlohmann::json::parse(file);
    for (const auto& item : golden.at("items"))
        for (const auto& [name, convention] :
             {std::pair{"householder", Orthonormal::householder}, {"positive", Orthonormal::positive}}) {
            const auto A = read(item.at("A")), G = read(item.at("G"));
            Tape<double> tape;
            tape.setRecording(true);
            V L = tape.make(static_cast<int>(A.rows()), static_cast<int>(A.cols()));
            L.value() = A;
            const V Q = orthonormalise(convention, L);
            Q.gradient() = G;
            tape.backward();
            EXPECT_LT((Q.value() - read(item.at(name).at("Q"))).norm(), 1e-12);
            EXPECT_LT((L.gradient() - read(item.at(name).at("grad_A_of_sum_QG"))).norm(), 1e-10);
        }
}

TEST(Tape, RecordsNothingWhileRecordingIsOff) {
    Tape<double> tape;
    const V x = tape.constant(2, 2, 1.0), y = tanh(1.0 * x);
    EXPECT_EQ(y.adjoint, nullptr);
    tape.backward();
}

TEST(Arena, KeepsItsMemoryAndAlignsIt) {
    Arena arena;
    const auto use = [&] {
        arena.clear();
        for (std::size_t bytes : {1, 100, 3000000, 17, 1000000}) {
            const auto address = reinterpret_cast<std::uintptr_t>(arena.allocate(bytes));
            EXPECT_EQ(address % Arena::alignment, 0u);
        }
        return arena.capacity();
    };
    const auto cold = use();
    EXPECT_EQ(use(), cold);
}

} // namespace
} // namespace raphe
