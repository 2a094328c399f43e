// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "raphe/declaration.h"
#include "raphe/random.h"
#include "raphe/rule_parts.h"
#include "raphe/tape.h"

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace raphe {

// Handles that a mechanism receives from its Builder and uses in its steps.
struct Input {
    int index = -1;
}; ///< an input or modulation port
struct Output {
    int index = -1;
}; ///< an output port
struct Weight {
    int index = -1;
}; ///< a trainable tensor; belongs to the session
struct PackedWeight {
    int index = -1;
}; ///< a weight that is kept laid out for products at every step
struct State {
    int index = -1;
}; ///< numbers that a trial carries from step to step
struct Link {
    int index = -1;
}; ///< what the units of a network send each other from one step to the next
struct Local {
    int index = -1;
}; ///< a Value that begin() leaves for the steps of the same span

/// How a trial ends. `terminated`: there is nothing after it, so that the value of what follows is 0. `truncated`: it
/// is cut from outside (a time limit that is not part of the task), so that what follows has a value.
enum class End : signed char { none, terminated, truncated };

/// Distribution of the initial values of a trainable tensor.
struct Init {
    enum class Shape { constant, uniform, normal, truncatedNormal, whole } shape = Shape::constant;
    double a = 0, b = 0;
    /// Of the rows only the first so many are drawn like this (0: all) ...
    int rows = 0;
    /// ... and the others, block by block, start as copies of these or at zero, ...
    bool copies = false;
    /// ... to which a share of a draw of their own is added.
    double share = 0;
    std::function<void(Matrix<double>&, Stream&)> draw = {}; ///< for tensors that are drawn as a whole
    static Init constant(double value) { return {Shape::constant, value, value}; }
    static Init uniform(double low, double high) { return {Shape::uniform, low, high}; }
    static Init normal(double deviation, double mean = 0) { return {Shape::normal, mean, deviation}; }
    /// Normal, drawn anew while it lies beyond two deviations (standard deviation of what is left: 0.88 `deviation`).
    static Init truncatedNormal(double deviation, double mean = 0) { return {Shape::truncatedNormal, mean, deviation}; }
    /// One number of the distribution, which must not be `whole`.
    double number(Stream& random) const {
        if (shape == Shape::uniform) return random.uniform(a, b);
        if (shape == Shape::normal) return a + b * random.normal();
        if (shape == Shape::constant) return a;
        double deviate = random.normal();
        while (std::abs(deviate) > 2) deviate = random.normal();
        return a + b * deviate;
    }
    /// The tensor is drawn as a whole, by a function that fills it.
    static Init whole(std::function<void(Matrix<double>&, Stream&)> draw) {
        Init init;
        init.shape = Shape::whole;
        init.draw = std::move(draw);
        return init;
    }
    /// Uniform in +-1/sqrt(fanIn), as linear layers usually start.
    static Init fanIn(int fanIn) { return uniform(-1 / std::sqrt(double(fanIn)), 1 / std::sqrt(double(fanIn))); }
    /// For blocks of rows, one above the other: the first is drawn, the others are copies or zero.
    Init blocks(int blockRows, bool asCopies, double ownShare) const {
        Init init = *this;
        init.rows = blockRows;
        init.copies = asCopies;
        init.share = ownShare;
        return init;
    }
};

/// What a mechanism knows of an output whose units are the coordinates of a point: weights of the points that another
/// mechanism mixes (Builder::describe, Builder::coordinates).
struct Coordinates {
    std::vector<double> moment; ///< mean product of each two coordinates; square, row after row
    bool sumToOne = false;      ///< whether the coordinates always sum to 1
    bool circle = false;        ///< the second and the third are the axes of a circle, which training shall keep one

    int count() const { return static_cast<int>(std::lround(std::sqrt(double(moment.size())))); }
};

/// How the gradient of a tensor becomes its change (0007). The plain case is a null pointer.
struct UpdateForm {
    /// Before momentum: the tensor is `blocks` blocks of rows, and the gradient of block k becomes
    /// sum_l matrix(k, l) (gradient of block l). Row after row; empty: the gradient itself.
    int blocks = 1;
    std::vector<double> matrix;
    /// Factors of the change: the means of these input ports over the batch, for each row and for each column; -1: 1.
    int rowPort = -1, columnPort = -1;
    double rate = 1; ///< factor of all of it
    /// The port whose coordinates are the axes of a circle (Coordinates::circle); the second and third block of all
    /// tensors with the same source are kept orthogonal and of one length; -1: none.
    int circlePort = -1;
};

/// What holds of a trainable tensor whatever the gradient says. The optimiser sees to it after every change, in this
/// order: magnitudes become smaller by `shrinkage` times the learning rate; those at or below zero become `floor`.
struct Constraint {
    std::vector<int> signs; ///< of each column's entries, 1 or -1 (Dale's law: a column is a sender); empty: free
    bool hollow = false;    ///< the diagonal is zero, and gets no gradient
    double shrinkage = 0;   ///< of signed columns
    double floor = 1e-12;   ///< of the magnitudes of signed columns
    explicit operator bool() const { return hollow || !signs.empty(); }
};

struct WeightInfo {
    std::string name;
    int rows, cols;
    Init init;
    Constraint constraint = {};
    std::shared_ptr<UpdateForm> form = nullptr; ///< null: a plain step along the gradient
};

struct StateOptions {
    int columns = 1;      ///< a state may be a rows x columns matrix per trial
    int stride = 0;       ///< distance between its columns in memory, >= rows (0: rows); for aligned kernels
    double initial = 0;   ///< value of every entry before the first step
    bool inPlace = false; ///< large: one adjoint buffer for all steps, only the next step may consume it
};

struct StateInfo : StateOptions {
    std::string name;
    int rows = 0;
    std::size_t size() const {
        return static_cast<std::size_t>(stride) * static_cast<std::size_t>(columns);
    } ///< numbers per trial
};

/// What a model says of a link, so that rules know which credit can return over it. Exact and local credit always can.
struct LinkOptions {
    bool mdgl = false, modprop = false;                     ///< whether its reverse step follows LinkCredit so far
    std::string reason = "its reverse step knows no other"; ///< why not, if it does not
    Weight weight = {}; ///< cells x cells, row: receiver, where the link has such a tensor: cell types have means then
    std::vector<int> types = {}; ///< cells of each type, in the order of units; empty: no types
};

struct LinkInfo : LinkOptions {
    State state;
};

/// Given to the constructor of a mechanism: says how its ports were wired and takes what the mechanism consists of.
class Builder {
public:
    /// @param portSizes  resolved units of each declared port (0: absent)
    Builder(const DeclarationData& declaration, std::vector<int> portSizes, std::vector<bool> wired, double dt)
        : declaration_(declaration), sizes_(std::move(portSizes)), wired_(std::move(wired)), dt_(dt) {}

    Input input(const char* port) const { return {indexOf(port)}; }
    Output output(const char* port) const { return {indexOf(port)}; }
    /// An output that shows a state: before the first step a delayed wire from it delivers the initial state.
    Output output(const char* port, State shown) {
        shown_.emplace_back(indexOf(port), shown.index);
        return {indexOf(port)};
    }
    /// Asks the engine to keep what this output holds while a closed loop acts, so that the learning pass need not
    /// compute it again (see Step::remembered). Worth it where computing costs more than reading: the state of a
    /// network of units, not the trace of its connections.
    void remember(Output output) { remembered_.push_back(output.index); }
    int size(const char* port) const { return sizes_[static_cast<std::size_t>(indexOf(port))]; }
    bool wired(const char* port) const { return wired_[static_cast<std::size_t>(indexOf(port))]; }
    /// Says what is known of the coordinates that an output holds.
    void describe(Output output, Coordinates coordinates) { described_[output.index] = std::move(coordinates); }
    /// What is known of the coordinates that reach a port; null if their source says nothing, or if there are several.
    const Coordinates* coordinates(const char* port) const { return source_ ? source_(indexOf(port)) : nullptr; }
    /// Duration of a step, in the experiment's unit of time.
    double dt() const { return dt_; }

    Weight weight(std::string name, int rows, int cols, Init init, Constraint constraint = {}) {
        weights_.push_back({std::move(name), rows, cols, std::move(init), std::move(constraint)});
        return {static_cast<int>(weights_.size()) - 1};
    }
    /// The weight's own way from gradient to change: see UpdateForm.
    UpdateForm& form(Weight weight) {
        auto& form = weights_[static_cast<std::size_t>(weight.index)].form;
        if (!form) form = std::make_shared<UpdateForm>();
        return *form;
    }
    /// The changes of each row (the weights onto a unit) are scaled by what a port shows, mean over the batch: before
    /// momentum in sgd, after the normalisation of adam.
    void scaleRows(Weight weight, const char* port) { form(weight).rowPort = indexOf(port); }
    /// The same for each column: the weights of what a unit sends.
    void scaleColumns(Weight weight, const char* port) { form(weight).columnPort = indexOf(port); }
    /// Keeps the circle of Coordinates::circle.
    void keepCircle(Weight weight, const char* port) { form(weight).circlePort = indexOf(port); }
    /// Asks for a layout of the weight for products with few columns at every step (see packed.h).
    PackedWeight packed(Weight weight) {
        packed_.push_back(weight.index);
        return {static_cast<int>(packed_.size()) - 1};
    }
    State state(std::string name, int rows, StateOptions options = {}) {
        StateInfo info;
        static_cast<StateOptions&>(info) = options;
        if (info.stride == 0) info.stride = rows;
        info.name = std::move(name);
        info.rows = rows;
        states_.push_back(std::move(info));
        return {static_cast<int>(states_.size()) - 1};
    }
    /// Says that units send each other what they have of this state, i.e. that it is the operand of a recurrent
    /// product.
    Link link(State state, LinkOptions options = {}) {
        links_.push_back({std::move(options), state});
        return {static_cast<int>(links_.size()) - 1};
    }
    Local local() { return {locals_++}; }

    // For learning rules that conduct more than one gradient of a fresh batch (see Iteration).
    /// An objective through these ports trains the tensors upstream of them. Tensors of several groups are an error.
    Group group(std::string name, const std::vector<const char*>& ports) {
        RuleParts::GroupInfo info{std::move(name), {}};
        for (const char* port : ports) info.ports.push_back(indexOf(port));
        rule_.groups.push_back(std::move(info));
        return {static_cast<int>(rule_.groups.size()) - 1};
    }
    TrialStore trials(std::string name, TrialStoreOptions options) {
        rule_.stores.push_back({options, std::move(name)});
        return {static_cast<int>(rule_.stores.size()) - 1};
    }
    Field field(std::string name, TrialStore store) {
        rule_.fields.push_back({std::move(name), store.index});
        return {static_cast<int>(rule_.fields.size()) - 1};
    }
    Memory memory(std::string name, std::vector<double> initial) {
        rule_.memories.push_back({std::move(name), std::move(initial)});
        return {static_cast<int>(rule_.memories.size()) - 1};
    }
    Copy copy(std::string name, Group group, CopyOptions options = {}) {
        rule_.copies.push_back({options, std::move(name), group.index});
        return {static_cast<int>(rule_.copies.size()) - 1};
    }

    const std::vector<WeightInfo>& weights() const { return weights_; }
    const std::vector<StateInfo>& states() const { return states_; }
    const std::vector<LinkInfo>& links() const { return links_; }
    int locals() const { return locals_; }
    /// weights, by index, of which packed layouts are wanted
    const std::vector<int>& packedWeights() const { return packed_; }
    /// (output port, state) pairs
    const std::vector<std::pair<int, int>>& shownStates() const { return shown_; }
    const std::vector<int>& rememberedOutputs() const { return remembered_; }
    const RuleParts& ruleParts() const { return rule_; }
    /// by output port
    const std::map<int, Coordinates>& described() const { return described_; }
    /// Engine's: finds what is known of what reaches a port.
    void setSources(std::function<const Coordinates*(int port)> source) { source_ = std::move(source); }

private:
    int indexOf(const char* port) const {
        const int index = declaration_.port(port);
        if (index < 0)
            throw Error(declaration_.key(),
                        std::string("its code asks for port \"") + port + "\", which it does not declare");
        return index;
    }
    const DeclarationData& declaration_;
    std::vector<int> sizes_;
    std::vector<bool> wired_;
    double dt_;
    std::vector<WeightInfo> weights_;
    std::vector<StateInfo> states_;
    std::vector<LinkInfo> links_;
    std::vector<std::pair<int, int>> shown_;
    std::vector<int> remembered_;
    std::vector<int> packed_;
    RuleParts rule_;
    std::map<int, Coordinates> described_;
    std::function<const Coordinates*(int)> source_;
    int locals_ = 0;
};

/// What tasks, models and learning rules have in common: once constructed they never change; everything that does
/// change lives in weights (session), states (chunk of trials) and tapes, which the engine owns.
template <class T>
class Mechanism {
public:
    virtual ~Mechanism() = default;
    Mechanism() = default;
    Mechanism(const Mechanism&) = delete;
    Mechanism& operator=(const Mechanism&) = delete;
};

} // namespace raphe
