// SPDX-License-Identifier: Apache-2.0
// The graph of an experiment: sizes, delays, cycles, what is computed for all steps at once, and what it says of
// errors.
#include "engine/graph/graph.h"
#include "support.h"

#include <gtest/gtest.h>

namespace raphe::test {
namespace {

/// Writes experiments with a probe task of 3 units and 10 steps.
struct Sketch {
    Json document = {{"raphe", 1}, {"nodes", Json::object()}, {"wires", Json::array()}, {"trials", 2}};
    Sketch() { node("task", "task.probe", {{"inputs", 3}, {"steps", 10}}); }
    Sketch& node(const std::string& name, const std::string& mechanism, Json params = Json::object()) {
        document["nodes"][name] = {{"mechanism", mechanism}, {"params", std::move(params)}};
        return *this;
    }
    Sketch& rnn(const std::string& name, int units) { return node(name, "model.rnn", {{"units", units}, {"tau", 10}}); }
    Sketch& dense(const std::string& name, int units) { return node(name, "model.dense", {{"units", units}}); }
    Sketch& wire(const std::string& text) {
        document["wires"].push_back(text);
        return *this;
    }
    Sketch& wire(const std::string& from, const std::string& to, int delay) {
        document["wires"].push_back({{"from", from}, {"to", to}, {"delay", delay}});
        return *this;
    }
    Graph graph() const { return Graph(experimentFromJson(document, registry()), registry()); }
    std::string complaint() const {
        try {
            graph();
        } catch (const Error& error) {
            return error.what();
        }
        return "no complaint";
    }
};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const GraphWire& wireBetween(const Graph& graph, const std::string& from, const std::string& to) {
    for (const auto& wire : graph.wires())
        if (wire.fromNode == graph.node(from) && wire.toNode == graph.node(to)) return wire;
    throw Error(from, "is not wired to " + to);
}

/// Names of the nodes of each stage, when the task's outputs are known.
std::vector<std::string> stageNames(const Graph& graph, bool learning = false) {
    std::vector<std::vector<bool>> known;
    for (const auto& node : graph.nodes()) {
        known.emplace_back();
        for (const auto& port : node.declaration().ports)
            known.back().push_back(node.kind() == Kind::task || (learning && port.sampled));
    }
    std::vector<bool> wanted(graph.nodes().size(), !learning);
    if (graph.rule() >= 0) wanted[static_cast<std::size_t>(graph.rule())] = true;
    std::vector<std::string> result;
    for (const auto& stage : graph.stages(known, wanted)) {
        std::string text = stage.cyclic ? "cycle:" : "";
        for (int n : stage.nodes)
            text += (text.empty() || text.back() == ':' ? "" : ",") + graph.nodes()[static_cast<std::size_t>(n)].name;
        result.push_back(text);
    }
    return result;
}

TEST(Graph, TakesSizesFromWires) {
    const auto graph = Sketch()
                           .rnn("a", 4)
                           .rnn("b", 5)
                           .dense("readout", 2)
                           .wire("task.observation -> a.input")
                           .wire("task.observation -> b.input")
                           .wire("a.hidden -> readout.input")
                           .wire("b.hidden -> readout.input")
                           .graph();
    const auto& readout = graph.nodes()[static_cast<std::size_t>(graph.node("readout"))];
    EXPECT_EQ(readout.portSizes[static_cast<std::size_t>(readout.declaration().port("input"))], 9)
        << "the sum of its sources";
    EXPECT_EQ(readout.portSizes[static_cast<std::size_t>(readout.declaration().port("slope"))], 2) << "declared";
    EXPECT_EQ(readout.portSizes[static_cast<std::size_t>(readout.declaration().port("output"))], 2);
    EXPECT_FALSE(graph.closedLoop());
    EXPECT_EQ(wireBetween(graph, "b", "readout").size, 5);
}

TEST(Graph, RefusesSizesThatDoNotFit) {
    const auto text = Sketch()
                          .rnn("a", 4)
                          .rnn("b", 5)
                          .wire("task.observation -> a.input")
                          .wire("task.observation -> b.input")
                          .wire("b.hidden -> a.gain")
                          .complaint();
    EXPECT_TRUE(has(text, "a.gain takes 4 units, but b.hidden has 5")) << text;
}

TEST(Graph, AsksForInputsThatAreMissing) {
    const auto text = Sketch().rnn("a", 4).complaint();
    EXPECT_TRUE(has(text, "nodes.a")) << text;
    EXPECT_TRUE(has(text, "add a wire \"... -> a.input\"")) << text;
}

TEST(Graph, DelaysTheWireThatClosesACycle) {
    const auto graph = Sketch()
                           .rnn("a", 4)
                           .dense("gate", 4)
                           .wire("task.observation -> a.input")
                           .wire("a.hidden -> gate.input")
                           .wire("gate.output -> a.gain")
                           .graph();
    EXPECT_FALSE(wireBetween(graph, "a", "gate").delayed);
    EXPECT_TRUE(wireBetween(graph, "gate", "a").delayed);
    EXPECT_EQ(stageNames(graph), std::vector<std::string>{"cycle:a,gate"});
}

TEST(Graph, DelaysTheWireThatIsToldTo) {
    const auto graph = Sketch()
                           .rnn("a", 4)
                           .dense("gate", 4)
                           .wire("task.observation -> a.input")
                           .wire("a.hidden", "gate.input", 1)
                           .wire("gate.output -> a.gain")
                           .graph();
    EXPECT_TRUE(wireBetween(graph, "a", "gate").delayed);
    EXPECT_TRUE(wireBetween(graph, "a", "gate").explicitDelay);
    EXPECT_FALSE(wireBetween(graph, "gate", "a").delayed);
    EXPECT_EQ(stageNames(graph), std::vector<std::string>{"cycle:gate,a"}) << "the gate now comes first";
}

TEST(Graph, RefusesACycleWithoutDelay) {
    const auto text = Sketch()
                          .rnn("a", 4)
                          .dense("gate", 4)
                          .wire("task.observation -> a.input")
                          .wire("a.hidden", "gate.input", 0)
                          .wire("gate.output", "a.gain", 0)
                          .complaint();
    EXPECT_TRUE(has(text, "closes a cycle within one time step")) << text;
    EXPECT_TRUE(has(text, "a -> gate -> a")) << text;
    EXPECT_TRUE(has(text, "\"delay\": 1")) << text;
}

TEST(Graph, ReadsPlasticityAtTheEndOfTheStepWithoutDelay) {
    const Graph graph(load("cue_small_A_simple"), registry());
    const auto& wire = wireBetween(graph, "modulator", "agent");
    EXPECT_EQ(wire.read, Read::end);
    EXPECT_FALSE(wire.delayed);
    EXPECT_TRUE(graph.closedLoop());
}

TEST(Graph, RefusesADelayWhereAPortIsReadAtTheEnd) {
    auto experiment = load("cue_small_A_simple");
    for (auto& wire : experiment.wires)
        if (wire.to.port == "plasticity") wire.delay = 1;
    try {
        const Graph graph(experiment, registry());
        FAIL() << "accepted";
    } catch (const Error& error) {
        EXPECT_TRUE(has(error.what(), "a delay of 1 is not possible here")) << error.what();
    }
}

TEST(Graph, StepsOnlyWhatRecurs) {
    const auto names = stageNames(Graph(load("mwg_small_nm_rnn"), registry()));
    EXPECT_EQ(names, (std::vector<std::string>{"modulator", "gate", "core", "readout"})) << "each for the whole span";
    const auto crossed = stageNames(Graph(load("crossed_gain"), registry()));
    EXPECT_EQ(crossed, (std::vector<std::string>{"cycle:core,gate", "readout"})) << "the readout is not in the cycle";
}

TEST(Graph, LeavesOutWhatTheRuleDoesNotNeed) {
    const Graph graph(load("cue_small_A_simple"), registry());
    const auto learning = stageNames(graph, true);
    EXPECT_EQ(std::count(learning.begin(), learning.end(), "head"), 0) << "its draw is known when learning";
    const auto acting = stageNames(graph, false);
    EXPECT_EQ(std::count(acting.begin(), acting.end(), "head"), 1);
    EXPECT_EQ(learning.front(), "cycle:agent,modulator");
}

TEST(Graph, OrdersStepsBySignalsNotByTheDocument) {
    const auto graph = Sketch()
                           .dense("last", 1)
                           .rnn("middle", 2)
                           .dense("first", 3)
                           .wire("middle.hidden -> last.input")
                           .wire("first.output -> middle.input")
                           .wire("task.observation -> first.input")
                           .graph();
    EXPECT_EQ(stageNames(graph), (std::vector<std::string>{"first", "middle", "last"}));
    std::vector<int> order{graph.node("first"), graph.node("middle"), graph.node("last")};
    EXPECT_EQ(graph.stepOrder(), order);
}

TEST(Graph, SuggestsWhatWasMeant) {
    EXPECT_TRUE(has(Sketch().rnn("core", 4).wire("task.observation -> cor.input").complaint(), "core"));
    EXPECT_TRUE(has(Sketch().rnn("core", 4).wire("task.observatoin -> core.input").complaint(), "observation"));
    EXPECT_TRUE(has(Sketch().node("core", "model.rn").complaint(), "model.rnn"));
    const auto both =
        Sketch().rnn("core", 4).wire("task.observatoin -> core.input").wire("core.hiden -> core.gain").complaint();
    EXPECT_EQ(std::count(both.begin(), both.end(), '\n'), 1) << "one line per problem: " << both;
}

TEST(Graph, TellsInputsFromOutputs) {
    const auto text = Sketch().rnn("core", 4).wire("core.input -> task.observation").complaint();
    EXPECT_TRUE(has(text, "output")) << text;
}

TEST(Graph, HasOneTaskAndOneRule) {
    EXPECT_TRUE(has(Sketch().node("other", "task.probe").complaint(), "an experiment has one task"));
}

int lines(const std::string& text) { return 1 + static_cast<int>(std::count(text.begin(), text.end(), '\n')); }

TEST(GraphProblems, OfEveryPartAreReportedAtOnceAndOnce) {
    auto sketch = Sketch()
                      .node("core", "model.rnn", {{"units", "many"}})
                      .node("gate", "model.dens")
                      .dense("readout", 2)
                      .wire("task.observation -> core.input")
                      .wire("core.hidden -> gate.input")
                      .wire("gate.output -> core.gain")
                      .wire("core.hiden -> readout.input");
    sketch.document["record"] = {"readout.outptu", "gate.output"};
    sketch.document["tials"] = 3;
    const auto text = sketch.complaint();
    EXPECT_EQ(lines(text), 5) << text;
    EXPECT_TRUE(has(text, "nodes.core.params.units: expected integer")) << text;
    EXPECT_TRUE(has(text, "nodes.gate.mechanism: no mechanism \"model.dens\"")) << text;
    EXPECT_TRUE(has(text, "wires[3] (core.hiden -> readout.input)")) << text;
    EXPECT_TRUE(has(text, "record[0]: model.dense has no output port \"outptu\"")) << text;
    EXPECT_TRUE(has(text, "tials: unknown field")) << text;
}

TEST(GraphProblems, OfANodeLeftOutAreNotRepeatedByItsWires) {
    const auto text = Sketch()
                          .node("core", "model.rn", {{"units", 4}})
                          .dense("readout", 2)
                          .wire("task.observation -> core.input")
                          .wire("core.hidden -> readout.input")
                          .complaint();
    EXPECT_EQ(lines(text), 1) << text;
}

TEST(GraphProblems, OfAWireDoNotMakeItsTargetLookUnwired) {
    for (const char* wire : {"task.observation -> cor.input", "task.observation -> core.inptu",
                             "task.observatoin -> core.input", "core.input -> task.observation", "task.observation"}) {
        const auto text = Sketch().rnn("core", 4).wire(wire).complaint();
        EXPECT_EQ(lines(text), 1) << text;
        EXPECT_FALSE(has(text, "nothing is wired")) << text;
    }
    const auto other = Sketch().rnn("core", 4).dense("readout", 2).wire("task.observation -> core.inptu").complaint();
    EXPECT_EQ(lines(other), 2) << "nothing is wired to the readout whatever was meant: " << other;
}

TEST(GraphProblems, OfAParameterDoNotMakeSizesLookWrong) {
    const auto text = Sketch()
                          .node("a", "model.rnn", {{"units", 0}})
                          .dense("gate", 4)
                          .wire("task.observation -> a.input")
                          .wire("a.hidden -> gate.input")
                          .wire("gate.output -> a.gain")
                          .complaint();
    EXPECT_EQ(lines(text), 1) << text;
    EXPECT_TRUE(has(text, "nodes.a.params.units")) << text;
}

TEST(GraphProblems, OfBothEndsOfAWireAreReported) {
    const auto text = Sketch().rnn("core", 4).wire("task.observatoin -> core.inptu").complaint();
    EXPECT_EQ(lines(text), 2) << text;
}

TEST(GraphProblems, NameTheWireByItsPlaceInTheDocument) {
    const auto text = Sketch().rnn("core", 4).wire("no arrow").wire("core.hiden -> core.gain").complaint();
    EXPECT_EQ(lines(text), 2) << text;
    EXPECT_TRUE(has(text, "wires[0]: ")) << text;
    EXPECT_TRUE(has(text, "wires[1] (core.hiden -> core.gain)")) << text;
}

} // namespace
} // namespace raphe::test
