// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <cmath>
#include <string>
#include <vector>

namespace raphe {

struct ElementFinderParams {
    int length = 25, bound = 10;
    std::vector<double> queries, values;
};

inline constexpr const char* elementFinderManual =
    R"(First a query q is shown, then a sequence of numbers one by one; at the end the network shall name number q of the sequence, counted
from 0.

    observation(0) = q,   observation(t) = e(t - 1) for t = 1 ... length,   target = e(q) at the last step

q is uniform in 0 ... `length` - 1, each element uniform in the integers -`bound` ... `bound`; they are shown as they are, not scaled. Only the
last step counts: `mask` is 1 there and 0 before, and so is `target`. Whoever always answers 0 has a mean squared error of `bound` (`bound` + 1) / 3,
36.7 with the defaults.

`queries` are the queries that occur, `values` those of the wanted element (the others keep their distribution), each drawn uniformly from its list; so one query
and one value can be looked at by themselves.

| paper | here |
| --- | --- |
| T, length of the sequence | `length`; a trial has one step more |
| q | port `query`, at all steps; for probes |

**Differs from the paper.** Nothing is known to; details are those of the authors' program.)";

struct ElementFinderTrial {
    int query = 0;
    std::vector<int> elements;
    template <class Archive>
    void fields(Archive& a) {
        a(query, elements);
    }
};

/// Element Finder (J. C. Costacurta et al. 2024, section 6): name the element of a sequence that a query asks for.
template <class T>
class ElementFinder final : public TaskOf<T, ElementFinderTrial> {
public:
    using Trial = ElementFinderTrial;

    static auto declare() {
        using P = ElementFinderParams;
        return Declaration<P>{"element_finder", "1.0.0", "Name the element of a sequence that a query asks for"}
            .citation("J. C. Costacurta, S. Bhandarkar, D. M. Zoltowski, S. W. Linderman (2024), Structured "
                      "flexibility in recurrent neural networks via neuromodulation, NeurIPS, "
                      "doi:10.1101/2024.07.26.605315")
            .manual(elementFinderManual)
            .param("length", &P::length,
                   {.unit = "steps", .help = "Elements of a sequence", .min = 1, .max = 100000, .group = "task"})
            .param("bound", &P::bound,
                   {.help = "Largest size of an element", .min = 0, .max = 1000000, .group = "task"})
            .param("queries", &P::queries,
                   {.help = "Queries that occur, counted from 0; empty: all", .min = 0, .max = 100000, .group = "task"})
            .param("values", &P::values,
                   {.help = "Values of the wanted element that occur; empty: all",
                    .min = -1000000,
                    .max = 1000000,
                    .group = "task"})
            .output("observation", 1, {.help = "The query, then the elements"})
            .output("target", 1, {.help = "The wanted element at the last step, else 0"})
            .output("mask", 1, {.help = "1 at the last step, else 0"})
            .output("query", 1, {.help = "The query; for probes"})
            .event("answer", "mask")
            .check([](const P& p) {
                for (const auto* list : {&p.queries, &p.values})
                    for (const double x : *list) {
                        const char* key = list == &p.queries ? "queries" : "values";
                        if (x != std::floor(x))
                            return std::string(key) + ": expected whole numbers, got " + std::to_string(x);
                        if (list == &p.queries && x >= p.length)
                            return "queries: expected numbers below length (" + std::to_string(p.length) + "), got " +
                                   std::to_string(static_cast<long>(x));
                    }
                return std::string{};
            });
    }

    ElementFinder(const ElementFinderParams& params, Builder& b)
        : p_(params), observation_(b.output("observation")), target_(b.output("target")), mask_(b.output("mask")),
          query_(b.output("query")) {}

    int steps() const override { return p_.length + 1; }

    void begin(Trial& trial, std::uint32_t, Stream& random) const override {
        trial.query = p_.queries.empty() ? static_cast<int>(random.integer(static_cast<std::uint32_t>(p_.length)))
                                         : chosen(p_.queries, random);
        trial.elements.resize(static_cast<std::size_t>(p_.length));
        const auto count = static_cast<std::uint32_t>(2 * p_.bound + 1);
        for (int& element : trial.elements) element = static_cast<int>(random.integer(count)) - p_.bound;
        if (!p_.values.empty()) trial.elements[static_cast<std::size_t>(trial.query)] = chosen(p_.values, random);
    }

    void observe(Trial& trial, TaskStep<T>& s) const override {
        const int t = s.step();
        *s.output(query_) = static_cast<T>(trial.query);
        *s.output(observation_) =
            static_cast<T>(t == 0 ? trial.query : trial.elements[static_cast<std::size_t>(t - 1)]);
        if (t < p_.length) return;
        *s.output(target_) = static_cast<T>(trial.elements[static_cast<std::size_t>(trial.query)]);
        *s.output(mask_) = T(1);
    }

private:
    static int chosen(const std::vector<double>& list, Stream& random) {
        return static_cast<int>(list[random.integer(static_cast<std::uint32_t>(list.size()))]);
    }

    ElementFinderParams p_;
    Output observation_, target_, mask_, query_;
};

} // namespace raphe
