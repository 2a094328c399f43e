// SPDX-License-Identifier: Apache-2.0
// Where a conductor's numbers stop being finite: the node, port, step and trial, or the tensor.
#include "engine/learning/conductor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace raphe {

template <class T>
bool Conductor<T>::gradientIsFinite(const std::vector<ParameterInfo>& tensors) const {
    double total = 0;
    for (const auto& info : tensors)
        if (info.trainable)
            for (std::size_t i = 0; i < info.size(); ++i) total += std::abs(double(gradient_[info.offset + i]));
    return std::isfinite(total);
}

template <class T>
std::string Conductor<T>::advice() const {
    const int rule = setup_.graph.rule();
    const auto* item = rule >= 0 ? &setup_.graph.nodes()[at(rule)] : nullptr;
    if (item && item->declaration().param("clip_norm"))
        return fmt::format("lower {0}'s learning rate or set {0}.clip_norm", item->name);
    return "lower the rates of what changes inside the trial";
}

/// A signal or a state, as users know it.
template <class T>
std::string Conductor<T>::nameOf(const NonFinite& place) const {
    if (place.port >= 0) return "signal " + setup_.portName(place.node, place.port);
    return "state " + setup_.graph.nodes()[at(place.node)].name + "." +
           setup_.network.nodes()[at(place.node)].states[at(place.state)].name;
}

template <class T>
void Conductor<T>::explainNonFinite(double loss) {
    explainWeights();
    Sweep<T> probe(plan_);
    for (int c = 0; c < setup_.chunksOf(setup_.batch); ++c) {
        if (setup_.streams) probe.continueFrom(&state_.continued(c));
        const auto range = setup_.rangeOf(static_cast<std::uint32_t>(state_.iteration()), c, setup_.batch);
        if (const auto bad = probe.findNonFinite(range, state_.live().weights.data()))
            throw NumericError(fmt::format("iteration {}: {} is not finite from step {} of trial {} on; {}",
                                           state_.iteration(), nameOf(*bad), bad->step, bad->trial, advice()));
    }
    explainGradient();
    throw NumericError(fmt::format("iteration {}: the loss is {}; {}", state_.iteration(), loss, advice()));
}

template <class T>
void Conductor<T>::explainNonFinite(const Pass& pass, double loss) {
    explainWeights();
    auto& store = state_.store(pass.store.index);
    for (const auto& piece : piecesOf(pass.stretches)) {
        const int burnIn = piece.stretches[0].burnIn;
        auto plan = replayPool(pass.group.index, pass.store.index, burnIn, piece.steps, false).plan();
        Sweep<T> probe(plan);
        store.fill(probe, piece.stretches, probe.members());
        if (const auto bad = probe.findNonFinite(pass.weights)) {
            const auto& s = piece.stretches[at(bad->trial)];
            const auto lived = store.batch(s.batch).iteration;
            const auto when = lived == static_cast<std::uint32_t>(state_.iteration())
                                  ? std::string()
                                  : fmt::format(" (collected in iteration {})", lived);
            throw NumericError(fmt::format("iteration {}: {} is not finite from step {} of trial {}{} on; {}",
                                           state_.iteration(), nameOf(*bad), s.first - burnIn + bad->step, s.trial,
                                           when, advice()));
        }
    }
    explainStored(pass);
    explainGradient();
    throw NumericError(fmt::format("iteration {}: the loss of \"{}\" is {}; {}", state_.iteration(),
                                   setup_.groups[at(pass.group.index)].name, loss, advice()));
}

template <class T>
void Conductor<T>::explainStored(const Pass& pass) {
    const auto& rule = setup_.graph.nodes()[at(setup_.graph.rule())];
    for (const auto& s : pass.stretches) {
        const auto& batch = state_.store(pass.store.index).batch(s.batch);
        for (std::size_t p = 0; p < batch.signals.size(); ++p)
            for (int t = s.first; t < std::min(s.first + s.count, batch.lengths[at(s.trial)]); ++t)
                for (int r = 0; r < (batch.signals[p].size() == 0 ? 0 : rule.portSizes[p]); ++r)
                    if (!std::isfinite(double(
                            batch
                                .signals[p][(at(t) * at(setup_.batch) + at(s.trial)) * at(rule.portSizes[p]) + at(r)])))
                        throw NumericError(fmt::format(
                            "iteration {}: signal {} is not finite at step {} of trial {}; {}", state_.iteration(),
                            setup_.portName(setup_.graph.rule(), static_cast<int>(p)), t, s.trial, advice()));
    }
}

template <class T>
void Conductor<T>::explainWeights() {
    for (const auto& info : setup_.tensors)
        for (std::size_t i = 0; i < info.size(); ++i)
            if (!std::isfinite(double(state_.live().weights[info.offset + i])))
                throw NumericError(fmt::format("iteration {}: tensor {} holds a number that is not finite; {}",
                                               state_.iteration(), info.name, advice()));
}

template <class T>
void Conductor<T>::explainGradient() {
    for (const auto& info : setup_.tensors)
        for (std::size_t i = 0; i < info.size(); ++i)
            if (!std::isfinite(double(gradient_[info.offset + i])))
                throw NumericError(fmt::format("iteration {}: the gradient of tensor {} is not finite; {}",
                                               state_.iteration(), info.name, advice()));
}

template bool Conductor<float>::gradientIsFinite(const std::vector<ParameterInfo>&) const;
template void Conductor<float>::explainNonFinite(double);
template void Conductor<float>::explainNonFinite(const Pass&, double);
template std::string Conductor<float>::advice() const;
template std::string Conductor<float>::nameOf(const NonFinite&) const;
template void Conductor<float>::explainStored(const Pass&);
template void Conductor<float>::explainWeights();
template void Conductor<float>::explainGradient();
template bool Conductor<double>::gradientIsFinite(const std::vector<ParameterInfo>&) const;
template void Conductor<double>::explainNonFinite(double);
template void Conductor<double>::explainNonFinite(const Pass&, double);
template std::string Conductor<double>::advice() const;
template std::string Conductor<double>::nameOf(const NonFinite&) const;
template void Conductor<double>::explainStored(const Pass&);
template void Conductor<double>::explainWeights();
template void Conductor<double>::explainGradient();

} // namespace raphe
