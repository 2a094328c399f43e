// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/base/executor.h"
#include "engine/base/tensor.h"

#include <cstdint>
#include <vector>

namespace raphe {

/// A linear reading of targets from features: y = offset + weights^T x.
struct RidgeFit {
    Tensor weights;             ///< (features, targets)
    std::vector<double> offset; ///< by target
};
/// Minimises the mean over samples of |y - offset - weights^T x|^2 plus ridge |weights|^2. The offset is not punished.
/// @param x  (samples, features)  @param y  (samples, targets)
/// @param ridge  >= 0, in the unit of a feature's variance
/// @param standardise  features are divided by their standard deviation first (and the weights are then turned back to
/// be those of the features as they are), so that the ridge is relative to it; constant features get no weight
/// @throws Error
RidgeFit fitRidge(const Tensor& x, const Tensor& y, double ridge, bool standardise = false);
/// (samples, targets). @throws Error  if there is another number of features
Tensor predicted(const RidgeFit& fit, const Tensor& x);

/// Explained share of the variance of y, R^2 = 1 - squared error / squared distance from the mean; below 0 for what is
/// worse than the mean. @throws Error  unless there are as many of both, and y varies
double explainedShare(const std::vector<double>& y, const std::vector<double>& read);

/// Which samples are left out together.
enum class FoldOrder {
    shuffled,    ///< drawn by the seed, folds of equal size
    blocks,      ///< stretches of samples (or groups) that follow one another
    interleaved, ///< every so many
};
struct DecodingOptions {
    double ridge = 1e-3;
    bool standardise = false;
    int folds = 5;
    FoldOrder order = FoldOrder::shuffled;
    std::uint64_t seed = 1;
    std::vector<int> groups; ///< by sample: those of one group stay together, e.g. the steps of one trial; empty: none
};
/// In which fold each sample is left out, from 0. @throws Error
std::vector<int> foldsOf(int samples, const DecodingOptions& options);

/// How well targets are read from samples that the reading was not fitted on.
struct Decoding {
    Tensor predicted;                ///< (samples, targets), each by the fit that left the sample out
    std::vector<double> explained;   ///< R^2 by target: 1 - squared error / squared distance from the mean of all
    std::vector<double> foldScores;  ///< by fold: the mean R^2 of its samples about their own mean, or its accuracy
    std::vector<int> labels;         ///< of classes: the one that was read of each sample
    double accuracy = 0, chance = 0; ///< of classes: share of samples read rightly; of the most frequent class
    double score() const;            ///< the mean of `explained`, or for classes the accuracy
};
/// @param x  (samples, features)  @param y  (samples, targets) @throws Error  if a target is constant, or a fold would
/// leave fewer than two samples to fit on
Decoding decodeNumbers(const Tensor& x, const Tensor& y, const DecodingOptions& options);
/// Regression on one number for each class (1 if the sample is of it, else 0); the largest is read. With several as
/// large, the first of them. @param labels  by sample, from 0
Decoding decodeClasses(const Tensor& x, const std::vector<int>& labels, const DecodingOptions& options);

/// The same at each step of a signal (steps, samples, features).
std::vector<Decoding> decodeNumbersBySteps(const Tensor& signal, const Tensor& y, const DecodingOptions& options,
                                           Executor& executor);
std::vector<Decoding> decodeClassesBySteps(const Tensor& signal, const std::vector<int>& labels,
                                           const DecodingOptions& options, Executor& executor);

} // namespace raphe
