// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

namespace raphe {

struct CoinGuessParams {
    int steps = 20; // the initialiser is the default
    double heads = 0.8;
};

/// Guess the side of a biased coin before each toss; a right guess earns 1.
template <class T>
class CoinGuess final : public TaskOf<T, std::vector<int>> { // a trial is the list of its tosses
public:
    static auto declare() {
        using P = CoinGuessParams;
        return Declaration<P>{"coin_guess", "1.0.0", "Guess the side of a biased coin"}
            .citation("Standard")
            .manual("Each step the coin shows side 1 with probability `heads`, else side 0. The reward is 1 if the "
                    "action is "
                    "that side, else 0. The observation is the previous toss: +1, -1, or 0 before the first.")
            .param("steps", &P::steps, {.unit = "steps", .help = "Tosses of a trial", .min = 1})
            .param("heads", &P::heads, {.help = "Probability of side 1", .min = 0, .max = 1})
            .input("action", 2, {.help = "Guessed side, one-hot", .read = Read::end})
            .output("observation", 1, {.help = "Previous toss"})
            .output("reward", 1, {.help = "1 if the guess was right", .read = Read::end});
    }

    CoinGuess(const CoinGuessParams& p, Builder& b)
        : p_(p), action_(b.input("action")), observation_(b.output("observation")), reward_(b.output("reward")) {}

    int steps() const override { return p_.steps; }
    void begin(std::vector<int>& tosses, std::uint32_t, Stream& random) const override {
        tosses.resize(static_cast<std::size_t>(p_.steps));
        for (int& side : tosses) side = random.uniform() < p_.heads ? 1 : 0;
    }
    void observe(std::vector<int>& tosses, TaskStep<T>& s) const override {
        if (s.step() > 0) *s.output(observation_) = tosses[static_cast<std::size_t>(s.step() - 1)] ? T(1) : T(-1);
    }
    void act(std::vector<int>& tosses, TaskStep<T>& s) const override {
        *s.output(reward_) = s.input(action_)[tosses[static_cast<std::size_t>(s.step())]];
    }

private:
    CoinGuessParams p_;
    Input action_;
    Output observation_, reward_;
};

} // namespace raphe

RAPHE_PLUGIN(raphe::CoinGuess)
