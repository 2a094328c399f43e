// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/document/experiment.h"
#include "engine/learning/session.h"

#include <map>
#include <string>
#include <vector>

namespace raphe::test {

/// Rows of several (rows, ...) tensors one below the other, which in row-major order is one list after the other.
Tensor rowsBelow(const std::vector<Tensor>& parts);
/// The tensors of a file that have these names.
std::vector<Tensor> tensorsOf(const Json& values, const std::vector<std::string>& names);

/// An empty document of an experiment in float64.
Json emptyDocument();
void addNode(Json& document, const std::string& name, const std::string& mechanism, Json params);
void addWire(Json& document, const std::string& from, const std::string& to, int delay = 0);

/// A network of the NMN's files ("config" of kind `network`) as nodes of an experiment, and which of our names stand
/// for those of the file. It reads the ports `observation` and `context` of the node `task`.
class NmnNetwork {
public:
    /// Adds the nodes to a document. @param prefix  stands before their names
    /// @param memories  whether x(t-1) and z(t-1) are states of nodes, which can start anywhere, instead of delayed
    /// wires
    NmnNetwork(const Json& config, Json& document, const std::string& prefix, bool memories);

    /// Sets the weights to those of a file.
    void assign(Session& session, const Json& params) const;

    /// our tensor -> theirs, one below the other
    const std::map<std::string, std::vector<std::string>>& tensors() const { return tensors_; }
    /// their output -> our ports, side by side
    const std::map<std::string, std::vector<std::string>>& outputs() const { return outputs_; }
    /// their state -> ours
    const std::map<std::string, std::string>& states() const { return states_; }

private:
    void wireLate(const std::string& from, const std::string& to, const std::string& memory, const Json& units);
    void addRecurrent();
    void addSignal();
    void addMain();
    void addLayer(const std::string& name, const std::string& theirs, const std::string& below, const Json& units,
                  const Json& activation, bool late);

    const Json& config_;
    Json& document_;
    std::string prefix_;
    bool memories_, modulated_ = false, delay_ = false;
    std::string top_;
    std::map<std::string, std::vector<std::string>> tensors_, outputs_;
    std::map<std::string, std::string> states_;
    std::vector<std::string> memoryNodes_;
};

} // namespace raphe::test
