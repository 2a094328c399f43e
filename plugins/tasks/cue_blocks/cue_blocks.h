// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/plugin.h"

#include <algorithm>
#include <string>
#include <vector>

namespace raphe {

struct CueBlocksParams {
    std::vector<double> validity = {0.95, 0.5, 0.75};
    int blockLength = 200;
};

inline constexpr const char* cueBlocksManual =
    R"(A cue that foretells a target with a reliability that changes from block to block: each step is one cue, valid with the
probability of its block.

| symbol | here |
| --- | --- |
| validity of the cue in each block | `validity` |
| cues in a block | `block_length` |)";

/// Cues that are valid with a probability that changes between blocks; an open loop.
template <class T>
class CueBlocks final : public TaskOf<T, int> {
public:
    static auto declare() {
        using P = CueBlocksParams;
        return Declaration<P>{"cue_blocks", "1.0.0", "Cues whose reliability changes from block to block"}
            .citation("A. J. Yu, P. Dayan (2005), Uncertainty, neuromodulation, and attention, Neuron, "
                      "doi:10.1016/j.neuron.2005.04.026")
            .manual(cueBlocksManual)
            .param("validity", &P::validity,
                   {.help = "Probability of a valid cue, by block", .min = 0, .max = 1, .group = "task"})
            .param("block_length", &P::blockLength,
                   {.unit = "steps", .help = "Cues in each block", .min = 1, .max = 1000000, .group = "task"})
            .output("valid", 1, {.help = "1 if the cue was valid"})
            .output("validity", 1, {.help = "Its probability; for probes"})
            .output("block", 1, {.help = "Number of the block; for probes"})
            .check([](const P& p) {
                if (p.validity.empty()) return std::string("validity: expected at least one block");
                if (static_cast<double>(p.validity.size()) * p.blockLength > 1e9)
                    return std::string("block_length: more than a billion steps");
                return std::string();
            });
    }

    CueBlocks(const CueBlocksParams& p, Builder& b)
        : p_(p), valid_(b.output("valid")), validity_(b.output("validity")), block_(b.output("block")) {}

    int steps() const override { return static_cast<int>(p_.validity.size()) * p_.blockLength; }
    void begin(int&, std::uint32_t, Stream&) const override {}
    void observe(int&, TaskStep<T>& s) const override {
        const auto block = std::min(static_cast<std::size_t>(s.step() / p_.blockLength), p_.validity.size() - 1);
        Stream random = s.random();
        *s.output(valid_) = random.uniform() < p_.validity[block] ? T(1) : T(0);
        *s.output(validity_) = static_cast<T>(p_.validity[block]);
        *s.output(block_) = static_cast<T>(block);
    }

private:
    CueBlocksParams p_;
    Output valid_, validity_, block_;
};

} // namespace raphe
