// SPDX-License-Identifier: Apache-2.0
#include "engine/learning/credit_alignment.h"

#include "engine/learning/optimiser.h"
#include "engine/sweep/sweep.h"

#include <cmath>

namespace raphe {

template <class T>
std::vector<CreditAlignment> alignCredit(const Experiment& experiment, const Network<T>& network,
                                         const AlignedArray<T>& weights, const std::vector<ParameterInfo>& tensors,
                                         const std::vector<Intervention>& interventions, const Credit& credit,
                                         int iteration, const Interrupt& interrupt) {
    if (const auto refusal = network.refusedCredit(credit)) throw *refusal;
    if (!dynamic_cast<const GradientRule<T>*>(&network.rule()))
        throw Error("nodes." + network.graph().nodes()[at(network.graph().rule())].name,
                    "makes several gradients of an iteration; only of a rule with one they can be compared");
    Experiment whole = experiment;
    whole.chunk = whole.trials;
    whole.recordings.clear();
    Setup<T> setup(whole, network.graph(), {1, "tbb", 0});
    setup.network = network;
    const TrialRange range{static_cast<std::uint32_t>(iteration), 0, setup.batch, setup.batch};
    const auto gradientOf = [&](const Credit& policy) {
        auto plan = setup.plan(setup.steps, setup.batch, interventions, &interrupt);
        plan.credit = policy;
        Sweep<T> sweep(plan);
        AlignedArray<T> gradient(network.size());
        std::vector<const T*> batch;
        if (network.rule().needsBatch()) {
            sweep.act(range, weights.data());
            for (std::size_t p = 0; p < network.graph().nodes()[at(network.graph().rule())].portSizes.size(); ++p)
                batch.push_back(sweep.ruleInput(p).data());
        }
        sweep.learn(range, weights.data(), gradient.data(), batch.empty() ? nullptr : &batch);
        Optimiser<T>::mask(tensors, gradient);
        return gradient;
    };
    const auto exact = gradientOf({}), other = gradientOf(credit);
    std::vector<CreditAlignment> result;
    for (const auto& t : tensors) {
        if (!t.trainable) continue;
        double products = 0, ours = 0, theirs = 0;
        for (std::size_t i = t.offset; i < t.offset + t.size(); ++i) {
            const auto a = static_cast<double>(other[i]), b = static_cast<double>(exact[i]);
            products += a * b;
            ours += a * a;
            theirs += b * b;
        }
        const double norms = std::sqrt(ours * theirs);
        result.push_back(
            {t.name, norms > 0 ? products / norms : 0, theirs > 0 ? std::sqrt(ours / theirs) : 0, std::sqrt(theirs)});
    }
    return result;
}

template std::vector<CreditAlignment> alignCredit(const Experiment&, const Network<float>&, const AlignedArray<float>&,
                                                  const std::vector<ParameterInfo>&, const std::vector<Intervention>&,
                                                  const Credit&, int, const Interrupt&);
template std::vector<CreditAlignment> alignCredit(const Experiment&, const Network<double>&,
                                                  const AlignedArray<double>&, const std::vector<ParameterInfo>&,
                                                  const std::vector<Intervention>&, const Credit&, int,
                                                  const Interrupt&);

} // namespace raphe
