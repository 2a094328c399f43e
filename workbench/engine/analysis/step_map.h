// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/learning/session.h"
#include "engine/mechanisms/registry.h"

#include <Eigen/Core>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace raphe {

/// Which states of a network move, and what stays the same meanwhile.
struct StepMapRequest {
    std::vector<std::string> states; ///< those that move: "node" (all of its states) or "node.state"
    std::vector<NamedTensor> inputs; ///< signals that are held, by output port: a number for each unit
    std::vector<NamedTensor> held;   ///< states that are held, "node.state"
};

/// One step of a network as a map x -> F(x) of the states that were chosen, in float64, with its derivative by the
/// engine's own tape. Holds a copy of the session's weights and interventions; exact credit.
///
/// Threads: any number may ask it at once. A point gives the same bits alone and among others of the same block.
class StepMap {
public:
    using Vector = Eigen::VectorXd;
    using Matrix = Eigen::MatrixXd; ///< points are columns

    /// Where a state lies in the vector x; a matrix lies there row by row.
    struct Part {
        std::string name; ///< "node.state"
        int first = 0, size = 0;
    };

    /// @param poll  is called before each computation; ends it by throwing
    /// @throws Error  if a name does not exist or a size is wrong; if other states move the chosen ones and are not
    /// held; if the next states do not follow from the states alone (random numbers, a wire that delivers the previous
    /// step of something that is no state); if an intervention acts in some steps only
    StepMap(const Session& session, const Registry& registry, const StepMapRequest& request,
            std::function<void()> poll = {});

    int size() const { return size_; }
    const std::vector<Part>& parts() const { return parts_; }
    /// A point where the network may be: after the first step of a trial under the held inputs.
    const Vector& somewhere() const { return somewhere_; }

    /// F of each point.
    Matrix after(const Matrix& points) const;
    /// F(x) - x.
    Vector change(const Vector& point) const { return after(point) - point; }
    /// dF/dx on the tape. @throws Error if there are more states than a dense matrix is good for
    Matrix jacobian(const Vector& point) const;
    /// The same by central differences.
    Matrix jacobianByDifferences(const Vector& point) const;
    void poll() const {
        if (poll_) poll_();
    }

    /// Points that are computed together; a fixed number, so that results do not depend on who asks.
    static constexpr int block = 64;
    static constexpr int mostStates = 2000; ///< of which a Jacobian is made

private:
    struct State {
        std::string name;
        std::vector<std::int64_t> shape; ///< of one trial
        std::vector<double> values;      ///< where it is held; of one that moves, somewhere
        int first = -1;                  ///< in x; -1: it does not move
        bool held = false;
        std::size_t size() const { return values.size(); }
    };
    void choose(const StepMapRequest& request);
    void hold(const NamedTensor& item);
    void requireAllMovers() const;
    void requireClosed() const;
    void requireDense() const;
    std::string reasons() const;
    /// What to compute from: the held signals, and all states with these points in place of those that move.
    ForwardRequest from(const Matrix& points, int steps) const;
    /// Of all states, by name, those that move.
    Matrix moversOf(const std::vector<NamedTensor>& states, Eigen::Index count) const;

    std::unique_ptr<Session> session_;
    std::function<void()> poll_;
    std::vector<NamedTensor> inputs_; ///< one number for each unit
    std::vector<State> states_;
    std::vector<Part> parts_;
    Vector somewhere_;
    int size_ = 0;
};

/// What reaches the nodes of these states from outside at a moment of recorded trials, to be held: the signals of other
/// nodes and of the task, and in place of wires that deliver the previous step the states that they show.
/// @param states   see StepMapRequest
/// @param signals  by output port, (steps, trials, units)
/// @param step, trial  from 0
/// @throws Error  if a signal is missing, or there is no such moment
StepMapRequest heldAt(Session& session, const std::vector<std::string>& states, const std::vector<NamedTensor>& signals,
                      int step, int trial);

/// The state that an output port shows after a step, or nothing: one of the same node that has the same values.
/// @param inputs  see StepMapRequest
std::string stateShownBy(Session& session, const std::string& port, const std::vector<NamedTensor>& inputs);

} // namespace raphe
