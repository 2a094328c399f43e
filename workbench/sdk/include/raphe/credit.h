// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace raphe {

/// How credit returns over recurrent links, i.e. over what units send each other from one step to the next
/// (Step::link, delayed wires). A cell's own memory always carries it exactly. With d the credit of what the units of a
/// network receive, W their weights and r' the derivative of what they send, the sender is given
///
///   exact    r' .* (W^T d), which is backpropagation through time;
///   local    nothing: a weight learns from what its two units know and the receiver's error, three factors;
///   mdgl     r' .* (F^T d'), d' being the part of d that came from outside of the network at the same step: credit
///            crosses one link (Liu et al. 2021);
///   modprop  mu F^T d: a filter that does not depend on time or activity (Liu et al. 2022).
///
/// F is W, or holds the mean of W for each pair of cell types.
struct Credit {
    enum class Kind { exact, local, mdgl, modprop };
    enum class Feedback { cells, types, typesAndSelf }; ///< typesAndSelf: the means stand on the diagonal as well

    Kind kind = Kind::exact;
    Feedback feedback = Feedback::cells;
    double mu = 0.25;
    int steps = 0; ///< credit crosses links in so many steps at the end of a trial; 0: in all

    /// Whether it is something else than the adjoint, all or nothing of it.
    bool replaced() const { return kind == Kind::mdgl || kind == Kind::modprop; }
    friend bool operator==(const Credit&, const Credit&) = default;
};

inline std::vector<std::string> creditNames() {
    return {"exact", "local", "mdgl", "mdgl_type", "modprop", "modprop_type", "modprop_type_diag"};
}
/// @param name  one of creditNames()
inline Credit creditOf(const std::string& name, double mu = 0.25, int steps = 0) {
    Credit credit;
    credit.mu = mu;
    credit.steps = steps;
    if (name == "local") credit.kind = Credit::Kind::local;
    if (name.starts_with("mdgl")) credit.kind = Credit::Kind::mdgl;
    if (name.starts_with("modprop")) credit.kind = Credit::Kind::modprop;
    if (name.ends_with("_type")) credit.feedback = Credit::Feedback::types;
    if (name.ends_with("_type_diag")) credit.feedback = Credit::Feedback::typesAndSelf;
    return credit;
}
inline std::string nameOf(const Credit& credit) {
    const char* kinds[] = {"exact", "local", "mdgl", "modprop"};
    const char* feedbacks[] = {"", "_type", "_type_diag"};
    return std::string(kinds[static_cast<int>(credit.kind)]) +
           (credit.replaced() ? feedbacks[static_cast<int>(credit.feedback)] : "");
}

} // namespace raphe
