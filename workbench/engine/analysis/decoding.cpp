// SPDX-License-Identifier: Apache-2.0
#include "engine/analysis/decoding.h"

#include "raphe/error.h"
#include "raphe/random.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

namespace raphe {
namespace {

using Matrix = Eigen::MatrixXd; ///< samples are rows
using Vector = Eigen::VectorXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int mostUnknowns = 8192; ///< features or samples, whichever are fewer

std::size_t at(Eigen::Index i) { return static_cast<std::size_t>(i); }

/// A copy, for sums over a map would depend on where it lies.
Matrix matrixOf(const Tensor& tensor, const char* name, const char* columns) {
    if (tensor.shape.size() != 2 || tensor.size() < 1 ||
        tensor.values.size() != static_cast<std::size_t>(tensor.size()))
        throw Error(std::string("decode.") + name,
                    fmt::format("expected a tensor (samples, {}) that is not empty", columns));
    const auto width = static_cast<std::size_t>(tensor.shape[1]);
    for (std::size_t i = 0; i < tensor.values.size(); ++i)
        if (!std::isfinite(tensor.values[i]))
            throw Error(std::string("decode.") + name,
                        fmt::format("sample {}, column {} is not a finite number; leave the sample out", i / width + 1,
                                    i % width + 1));
    return Eigen::Map<const RowMajor>(tensor.values.data(), tensor.shape[0], tensor.shape[1]);
}
Tensor tensorOf(const Matrix& matrix) {
    const RowMajor rows = matrix;
    return {{rows.rows(), rows.cols()}, {rows.data(), rows.data() + rows.size()}};
}

struct Fit {
    Matrix weights;
    Vector offset;
    Matrix of(const Matrix& x) const { return (x * weights).rowwise() + offset.transpose(); }
};

Fit fit(const Matrix& x, const Matrix& y, double ridge, bool standardise) {
    const auto samples = static_cast<double>(x.rows());
    const Vector middle = x.colwise().mean(), target = y.colwise().mean();
    Matrix X = x.rowwise() - middle.transpose();
    const Matrix Y = y.rowwise() - target.transpose();
    Vector scale = Vector::Ones(x.cols());
    if (standardise) {
        scale = (X.colwise().squaredNorm() / samples).cwiseSqrt();
        for (Eigen::Index f = 0; f < X.cols(); ++f) {
            // What varies by rounding only is constant.
            scale[f] = scale[f] > 1e-12 * std::max(1.0, std::abs(middle[f])) ? 1 / scale[f] : 0;
            X.col(f) *= scale[f];
        }
    }
    Fit result;
    if (X.cols() <= X.rows()) {
        Matrix A = X.transpose() * X / samples;
        A.diagonal().array() += ridge;
        result.weights = A.ldlt().solve(X.transpose() * Y / samples);
    } else {
        Matrix A = X * X.transpose() / samples; // the same weights, from fewer unknowns
        A.diagonal().array() += ridge;
        result.weights = X.transpose() * A.ldlt().solve(Y) / samples;
    }
    result.weights = scale.asDiagonal() * result.weights;
    result.offset = target - result.weights.transpose() * middle;
    if (!result.weights.allFinite())
        throw Error("decode.ridge",
                    "the features depend on one another, so that weights are not determined; give a ridge above 0");
    return result;
}

void requireRidge(double ridge, const Matrix& x) {
    if (!(ridge >= 0) || !std::isfinite(ridge))
        throw Error("decode.ridge", fmt::format("expected a number of at least 0, got {}", ridge));
    if (std::min(x.rows(), x.cols()) > mostUnknowns)
        throw Error("decode",
                    fmt::format("{} samples of {} features are too many; leave out features, or all but {} samples",
                                x.rows(), x.cols(), mostUnknowns));
    // Centred features span at most samples - 1 directions.
    if (ridge == 0 && x.cols() >= x.rows())
        throw Error("decode.ridge",
                    fmt::format("{} samples do not determine the weights of {} features; give a ridge above 0",
                                x.rows(), x.cols()));
}

/// Rows of the samples in (or not in) a fold.
std::vector<Eigen::Index> rowsOf(const std::vector<int>& folds, int fold, bool inside) {
    std::vector<Eigen::Index> rows;
    for (std::size_t i = 0; i < folds.size(); ++i)
        if ((folds[i] == fold) == inside) rows.push_back(static_cast<Eigen::Index>(i));
    return rows;
}

/// Reads each sample by the fit that leaves out its fold.
Matrix readOthers(const Matrix& x, const Matrix& y, const std::vector<int>& folds, const DecodingOptions& options) {
    Matrix result(y.rows(), y.cols());
    for (int fold = 0; fold < options.folds; ++fold) {
        const auto others = rowsOf(folds, fold, false), own = rowsOf(folds, fold, true);
        if (others.size() < 2)
            throw Error(
                "decode.folds",
                fmt::format("without fold {} there are fewer than two samples; give more samples, or fewer folds",
                            fold + 1));
        const Matrix fitted = x(others, Eigen::all);
        requireRidge(options.ridge, fitted);
        result(own, Eigen::all) =
            fit(fitted, y(others, Eigen::all), options.ridge, options.standardise).of(x(own, Eigen::all));
    }
    return result;
}

/// @return NaN where y does not vary
double explainedOf(const Vector& y, const Vector& read) {
    const double error = (y - read).squaredNorm(), whole = (y.array() - y.mean()).matrix().squaredNorm();
    return whole > 0 ? 1 - error / whole : std::nan("");
}

Decoding numbers(const Matrix& x, const Matrix& y, const DecodingOptions& options) {
    if (x.rows() != y.rows())
        throw Error("decode.y", fmt::format("expected one for each of the {} samples, got {}", x.rows(), y.rows()));
    for (Eigen::Index t = 0; t < y.cols(); ++t)
        if (y.col(t).maxCoeff() == y.col(t).minCoeff())
            throw Error("decode.y",
                        fmt::format("target {} is the same in all samples, so that there is nothing to read", t + 1));
    const auto folds = foldsOf(static_cast<int>(x.rows()), options);
    const Matrix read = readOthers(x, y, folds, options);
    Decoding result;
    result.predicted = tensorOf(read);
    for (Eigen::Index t = 0; t < y.cols(); ++t) result.explained.push_back(explainedOf(y.col(t), read.col(t)));
    for (int fold = 0; fold < options.folds; ++fold) {
        const auto own = rowsOf(folds, fold, true);
        double sum = 0;
        for (Eigen::Index t = 0; t < y.cols(); ++t) sum += explainedOf(y(own, t), read(own, t));
        result.foldScores.push_back(sum / static_cast<double>(y.cols()));
    }
    return result;
}

Decoding classes(const Matrix& x, const std::vector<int>& labels, const DecodingOptions& options) {
    if (static_cast<std::size_t>(x.rows()) != labels.size())
        throw Error("decode.y",
                    fmt::format("expected one class for each of the {} samples, got {}", x.rows(), labels.size()));
    const auto [least, most] = std::minmax_element(labels.begin(), labels.end());
    if (*least < 0 || *most > 4095) throw Error("decode.y", "expected classes from 0 to 4095");
    if (*least == *most) throw Error("decode.y", "all samples are of one class, so that there is nothing to read");
    Matrix y = Matrix::Zero(x.rows(), *most + 1);
    for (std::size_t i = 0; i < labels.size(); ++i) y(static_cast<Eigen::Index>(i), labels[i]) = 1;
    const auto folds = foldsOf(static_cast<int>(x.rows()), options);
    const Matrix read = readOthers(x, y, folds, options);
    Decoding result;
    result.predicted = tensorOf(read);
    std::vector<double> right(at(options.folds)), all(at(options.folds));
    for (Eigen::Index i = 0; i < read.rows(); ++i) {
        Eigen::Index label = 0;
        read.row(i).maxCoeff(&label);
        result.labels.push_back(static_cast<int>(label));
        const auto fold = at(folds[at(i)]);
        right[fold] += label == labels[at(i)];
        all[fold] += 1;
    }
    for (std::size_t f = 0; f < right.size(); ++f) result.foldScores.push_back(right[f] / all[f]);
    const auto count = static_cast<double>(labels.size());
    result.accuracy = std::accumulate(right.begin(), right.end(), 0.0) / count;
    result.chance = y.colwise().sum().maxCoeff() / count;
    return result;
}

/// Calls `one` with the samples of each step.
template <class One>
std::vector<Decoding> bySteps(const Tensor& signal, Executor& executor, One one) {
    if (signal.shape.size() != 3 || signal.size() < 1)
        throw Error("decode.x", "expected a tensor (steps, samples, features) that is not empty");
    std::vector<Decoding> result(static_cast<std::size_t>(signal.shape[0]));
    executor.run(static_cast<int>(result.size()), [&](int step) {
        const auto size = static_cast<std::ptrdiff_t>(signal.shape[1] * signal.shape[2]);
        const auto from = signal.values.begin() + step * size;
        const Tensor samples{{signal.shape[1], signal.shape[2]}, {from, from + size}};
        result[static_cast<std::size_t>(step)] = one(matrixOf(samples, "x", "features"));
    });
    return result;
}

} // namespace

double Decoding::score() const {
    if (!labels.empty()) return accuracy;
    return std::accumulate(explained.begin(), explained.end(), 0.0) / static_cast<double>(explained.size());
}

RidgeFit fitRidge(const Tensor& x, const Tensor& y, double ridge, bool standardise) {
    const Matrix X = matrixOf(x, "x", "features"), Y = matrixOf(y, "y", "targets");
    if (X.rows() != Y.rows() || X.rows() < 2)
        throw Error("decode.y",
                    fmt::format("expected one for each of at least two samples, got {} for {}", Y.rows(), X.rows()));
    requireRidge(ridge, X);
    const Fit found = fit(X, Y, ridge, standardise);
    return {tensorOf(found.weights), {found.offset.data(), found.offset.data() + found.offset.size()}};
}

Tensor predicted(const RidgeFit& fit, const Tensor& x) {
    const Matrix X = matrixOf(x, "x", "features"), W = matrixOf(fit.weights, "weights", "targets");
    if (X.cols() != W.rows())
        throw Error("decode.x", fmt::format("the fit has {} features, but the samples have {}", W.rows(), X.cols()));
    if (static_cast<std::size_t>(W.cols()) != fit.offset.size())
        throw Error("decode.offset",
                    fmt::format("expected a number for each of the {} targets, got {}", W.cols(), fit.offset.size()));
    const Vector offset = Eigen::Map<const Vector>(fit.offset.data(), W.cols());
    return tensorOf(Fit{W, offset}.of(X));
}

double explainedShare(const std::vector<double>& y, const std::vector<double>& read) {
    if (y.size() != read.size() || y.empty())
        throw Error("decode.y",
                    fmt::format("expected as many numbers as were read, {}, got {}", read.size(), y.size()));
    const auto count = static_cast<Eigen::Index>(y.size());
    const Vector values = Eigen::Map<const Vector>(y.data(), count),
                 others = Eigen::Map<const Vector>(read.data(), count);
    if (values.maxCoeff() == values.minCoeff())
        throw Error("decode.y", "the target is the same in all samples, so that there is nothing to explain");
    return explainedOf(values, others);
}

std::vector<int> foldsOf(int samples, const DecodingOptions& options) {
    if (!options.groups.empty() && options.groups.size() != static_cast<std::size_t>(samples))
        throw Error("decode.groups",
                    fmt::format("expected a group for each of the {} samples, got {}", samples, options.groups.size()));
    // Groups in the order in which they first appear.
    std::vector<int> unit(static_cast<std::size_t>(samples));
    std::map<int, int> known;
    for (std::size_t i = 0; i < unit.size(); ++i)
        unit[i] = options.groups.empty()
                      ? static_cast<int>(i)
                      : known.try_emplace(options.groups[i], static_cast<int>(known.size())).first->second;
    const int units = options.groups.empty() ? samples : static_cast<int>(known.size());
    if (options.folds < 2 || options.folds > units)
        throw Error("decode.folds", fmt::format("expected 2 to {} folds (as many as there are {}), got {}", units,
                                                options.groups.empty() ? "samples" : "groups", options.folds));
    std::vector<int> place(static_cast<std::size_t>(units)); // of each unit in the order
    std::iota(place.begin(), place.end(), 0);
    if (options.order == FoldOrder::shuffled) {
        Stream random(options.seed, addressOf("analysis.folds"), 0, 0, 0);
        for (std::size_t i = place.size(); i > 1; --i)
            std::swap(place[i - 1], place[random.integer(static_cast<std::uint32_t>(i))]);
    }
    std::vector<int> result;
    for (const int u : unit) {
        const std::int64_t p = place[static_cast<std::size_t>(u)];
        result.push_back(
            static_cast<int>(options.order == FoldOrder::interleaved ? p % options.folds : p * options.folds / units));
    }
    return result;
}

Decoding decodeNumbers(const Tensor& x, const Tensor& y, const DecodingOptions& options) {
    return numbers(matrixOf(x, "x", "features"), matrixOf(y, "y", "targets"), options);
}
Decoding decodeClasses(const Tensor& x, const std::vector<int>& labels, const DecodingOptions& options) {
    return classes(matrixOf(x, "x", "features"), labels, options);
}
std::vector<Decoding> decodeNumbersBySteps(const Tensor& signal, const Tensor& y, const DecodingOptions& options,
                                           Executor& executor) {
    const Matrix targets = matrixOf(y, "y", "targets");
    return bySteps(signal, executor, [&](const Matrix& x) { return numbers(x, targets, options); });
}
std::vector<Decoding> decodeClassesBySteps(const Tensor& signal, const std::vector<int>& labels,
                                           const DecodingOptions& options, Executor& executor) {
    return bySteps(signal, executor, [&](const Matrix& x) { return classes(x, labels, options); });
}

} // namespace raphe
