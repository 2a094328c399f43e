// SPDX-License-Identifier: Apache-2.0
// Whatever is done to a document can be undone and done again, and Lua does the same.
#include "engine/base/files.h"
#include "engine/document/canvas.h"
#include "engine/document/json_writer.h"
#include "engine/editing/document.h"
#include "engine/runs/run.h"
#include "lua/lua_host.h"
#include "support.h"
#include "support/random_edits.h"

#include <gtest/gtest.h>

#include <chrono>

namespace raphe::test {
namespace {

namespace fs = std::filesystem;

fs::path experimentFolder() { return resourceFolder() / "experiments"; }

std::string textOf(const std::string& name) { return readBytes(experimentFolder() / (name + ".json"), 1 << 20); }

TEST(Editing, LoadsAndSavesTheSameBytes) {
    const auto folder = fs::path(testing::TempDir()) / "raphe_editing";
    fs::create_directories(folder);
    for (const auto& name : experimentNames()) {
        const auto document = Document::open(name, registry());
        EXPECT_FALSE(document->modified());
        document->save(folder / (name + ".json"));
        EXPECT_EQ(readBytes(folder / (name + ".json"), 1 << 20), textOf(name)) << name;
        EXPECT_TRUE(document->problems().empty()) << name << ": " << document->problems().front().text();
    }
    fs::remove_all(folder);
}

TEST(Editing, WritesDocumentsAsTheyAreShipped) {
    for (const auto& name : experimentNames()) EXPECT_EQ(documentText(parseJson(textOf(name), name)), textOf(name));
}

TEST(Editing, IsUndoneAndRedoneToTheByteAndTheSameInLua) {
    LuaHost lua(plugins());
    const std::vector<std::string> names{"cue_small_A",      "crossed_gain",       "mwg_nm_rnn_staged",
                                         "mwg_nm_rnn",       "crossed_plasticity", "nmn_two_targets_small",
                                         "cue_small_B_retro"};
    int executed = 0;
    for (std::uint32_t script = 0; script < 1000; ++script) {
        RandomEdits edits(script);
        const auto name = edits.any(names);
        SCOPED_TRACE(name + ", script " + std::to_string(script));
        const auto document = Document::open(name, registry());
        const auto original = document->text();
        std::string lines;
        for (int i = 0; i < 12; ++i) {
            const auto command = edits.next(*document);
            const auto before = document->text();
            const bool could = document->canUndo();
            try {
                document->execute(command, edits.below(3) == 0 ? "drag" : "");
                lines += luaLine(checkedCommand(command), "document") + "\n";
                ++executed;
            } catch (const Error& error) {
                ASSERT_EQ(document->text(), before) << command;
                ASSERT_EQ(document->canUndo(), could);
                ASSERT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
            }
        }
        const auto final = document->text();
        ASSERT_TRUE(final == original || documentText(parseJson(final, "final")) == final) << final;
        const auto complete = document->complete();
        while (document->undo()) {
        }
        ASSERT_EQ(document->text(), original);
        while (document->redo()) {
        }
        ASSERT_EQ(document->text(), final) << lines;
        ASSERT_EQ(document->complete(), complete);

        const std::shared_ptr<Document> replayed = Document::open(name, registry());
        lua.share("document", replayed);
        ASSERT_NO_THROW(ASSERT_EQ(lua.runText(lines, "echo"), 0)) << lines;
        ASSERT_EQ(replayed->text(), final) << lines;
        // What is written reads as what was edited; the order of nodes counts, that of fields does not.
        const auto read = Document::fromText(final, "final", registry(), experimentFolder());
        ASSERT_EQ(nlohmann::json(read->complete()), nlohmann::json(complete));
        ASSERT_EQ(keysOf(read->complete()["nodes"]), keysOf(complete["nodes"]));
    }
    EXPECT_GT(executed, 4000);
}

TEST(Editing, OrderOfEditsLeavesNoTrace) {
    const std::vector<Json> edits{
        {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "clip_bound"}, {"value", 2.5}},
        {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "hidden"}, {"value", 12}},
        {{"command", "set_parameter"}, {"node", "learner"}, {"parameter", "discount"}, {"value", 0.5}},
        {{"command", "set_field"}, {"field", "dt"}, {"value", 0.5}},
        {{"command", "set_field"}, {"field", "trials"}, {"value", 10}},
        {{"command", "freeze"}, {"pattern", "agent.*"}},
        {{"command", "add_recording"}, {"port", "agent.hidden"}},
        {{"command", "move"}, {"positions", {{"agent", {1, 2}}}}},
        {{"command", "move"}, {"positions", {{"policy", {1, 2}}}}}};
    for (const char* name : {"cue_small_A", "cue_small_A_retro"}) {
        std::string expected;
        std::mt19937 random(7);
        for (int round = 0; round < 40; ++round) {
            auto order = edits;
            std::shuffle(order.begin(), order.end(), random);
            const auto document = Document::open(name, registry());
            for (const auto& command : order) document->execute(command);
            if (expected.empty()) expected = document->text();
            ASSERT_EQ(document->text(), expected);
        }
    }
}

TEST(Editing, MergesWhatBelongsTogether) {
    const auto document = Document::open("cue_small_A", registry());
    const auto drag = [&](double x, const char* key) {
        document->execute({{"command", "move"}, {"positions", {{"agent", {x, 0}}}}}, key);
    };
    const auto original = document->text();
    drag(1, "a");
    drag(2, "a");
    drag(3, "b");
    EXPECT_EQ(document->undoTitle(), "Move agent");
    document->undo();
    EXPECT_EQ(positionsOf(document->complete()).at("agent"), (Position{2, 0}));
    document->undo();
    EXPECT_EQ(document->text(), original);
    EXPECT_FALSE(document->canUndo());
    document->redo();
    drag(4, "a"); // another drag: something was undone in between
    document->undo();
    EXPECT_EQ(positionsOf(document->complete()).at("agent"), (Position{2, 0}));
}

TEST(Editing, TellsItsObservers) {
    const auto document = Document::open("cue_small_A", registry());
    std::vector<DocumentEvent> events;
    {
        const auto subscription = document->subscribe([&](const DocumentEvent& event) { events.push_back(event); });
        document->execute({{"command", "move"}, {"positions", {{"agent", {1, 2}}}}});
        document->execute({{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "hidden"}, {"value", 5}});
        EXPECT_FALSE(document->execute(
            {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "hidden"}, {"value", 5}}));
        document->undo();
    }
    document->redo();
    ASSERT_EQ(events.size(), 3u);
    EXPECT_TRUE(events[0].onlyCanvas);
    EXPECT_FALSE(events[1].onlyCanvas);
    EXPECT_EQ(events[1].places, std::vector<std::string>{"nodes.agent.params.hidden"});
    EXPECT_EQ(events[2].kind, DocumentEvent::Kind::undone);
    EXPECT_EQ(events[2].command["command"], "set_parameter");
}

TEST(Editing, SaysWhereProblemsAreInTime) {
    const auto document = Document::open("cue_small_A", registry());
    document->execute({{"command", "disconnect"}, {"from", "modulator.output"}, {"to", "agent.plasticity"}});
    document->execute({{"command", "disconnect"}, {"from", "policy.output"}, {"to", "head.logits"}});
    document->execute({{"command", "set_parameter"}, {"node", "policy"}, {"parameter", "units"}, {"value", 3}});
    document->execute({{"command", "freeze"}, {"pattern", "agnt.*"}});
    const auto find = [&](auto holds) {
        const auto& problems = document->problems();
        return std::find_if(problems.begin(), problems.end(), holds) != problems.end();
    };
    EXPECT_TRUE(find([](const auto& p) { return p.node == "head" && p.port == "logits"; }));
    EXPECT_TRUE(find([](const auto& p) { return p.frozen == 0 && p.field == "frozen"; }));
    document->undo();
    document->undo();
    document->undo();
    document->execute({{"command", "set_parameter"}, {"node", "policy"}, {"parameter", "units"}, {"value", 3}});
    EXPECT_TRUE(find([](const auto& p) { return p.wire == 3 && p.node == "head" && p.port == "logits"; }));
    for (const char* name : {"cue_small_A", "mwg_nm_rnn", "nmn_two_targets"}) {
        const auto timed = Document::open(name, registry());
        double best = 1e9;
        for (int i = 0; i < 20; ++i) {
            timed->execute({{"command", "set_field"}, {"field", "seed"}, {"value", i + 10}});
            const auto start = std::chrono::steady_clock::now();
            EXPECT_TRUE(timed->problems().empty());
            best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
#ifndef RAPHE_SANITIZED
        EXPECT_LT(best, 0.005) << name;
#endif
    }
}

TEST(Editing, SaysWhetherAWireFits) {
    const auto document = Document::open("cue_small_A", registry());
    const auto refusal = [&](const char* from, const char* to) { return document->canConnect(from, to).refusal; };
    const auto contains = [](const std::string& text, const char* words) {
        return text.find(words) != std::string::npos ? testing::AssertionSuccess()
                                                     : testing::AssertionFailure() << text;
    };
    EXPECT_EQ(refusal("task.reward", "policy.input"), "");
    EXPECT_TRUE(contains(refusal("agent.input", "policy.input"), "is not an output"));
    EXPECT_TRUE(contains(refusal("agent.hidden", "policy.output"), "is an output"));
    EXPECT_TRUE(contains(refusal("agent.hidden", "policy.input"), "is there already"));
    EXPECT_TRUE(contains(refusal("value.output", "agent.plasticity"), "is occupied"));
    EXPECT_TRUE(contains(refusal("nobody.output", "agent.plasticity"), "has no node"));
    document->execute({{"command", "disconnect"}, {"from", "modulator.output"}, {"to", "agent.plasticity"}});
    EXPECT_TRUE(contains(refusal("agent.hidden", "agent.plasticity"), "takes 1 unit, but agent.hidden has 32"));
    EXPECT_TRUE(contains(document->canConnect("policy.output", "agent.input").note, "previous step"));
    document->execute({{"command", "disconnect"}, {"from", "head.action"}, {"to", "task.action"}});
    EXPECT_TRUE(contains(refusal("task.reward", "task.action"), "after the task has acted"));
    const auto part = document->canConnect("value.output", "task.action");
    EXPECT_TRUE(part.fits() && part.missing > 0) << "other wires may bring the rest";
}

TEST(Editing, ManyWiresAreJudgedAsEachIsAlone) {
    for (const char* name : {"cue_small_A", "mwg_nm_rnn", "crossed_gain"}) {
        const auto document = Document::open(name, registry());
        for (const auto& wire : std::vector<WireSpec>(document->experiment().wires))
            if (wire.to.node.size() % 2 == 0) // some ports are occupied, others not
                document->execute({{"command", "disconnect"}, {"from", wire.from.text()}, {"to", wire.to.text()}});
        std::vector<std::string> ports{"nobody.here"};
        for (const auto& node : document->experiment().nodes)
            for (const auto& port : registry().find(node.mechanism, node.name).declaration.ports)
                ports.push_back(node.name + "." + port.name);
        std::vector<std::pair<std::string, std::string>> ends;
        for (const auto& from : ports)
            for (const auto& to : ports) ends.emplace_back(from, to);
        const auto together = document->canConnect(ends);
        std::size_t fitting = 0;
        for (std::size_t i = 0; i < ends.size(); ++i) {
            const auto alone = document->canConnect(ends[i].first, ends[i].second);
            ASSERT_EQ(together[i].refusal, alone.refusal) << ends[i].first << " -> " << ends[i].second;
            ASSERT_EQ(together[i].missing, alone.missing) << ends[i].first << " -> " << ends[i].second;
            fitting += alone.fits();
        }
        EXPECT_GT(fitting, 0u);
        EXPECT_LT(fitting, ends.size());
    }
}

/// A run of a small experiment in a fresh folder.
std::string hashOf(const Experiment& experiment) {
    const auto folder = fs::path(testing::TempDir()) / ("raphe_editing_run_" + std::to_string(getpid()));
    fs::remove_all(folder);
    RunOptions options;
    options.folder = folder;
    options.iterations = 5;
    options.session.threads = 1;
    const auto hash = runExperiment(experiment, plugins(), options).hash;
    fs::remove_all(folder);
    return hash;
}

TEST(Editing, CanvasAndWhatIsSwitchedOffChangeNoRun) {
    const auto document = Document::open("cue_small_A", registry());
    document->execute({{"command", "set_field"}, {"field", "trials"}, {"value", 6}});
    const auto hash = hashOf(document->validExperiment());
    const auto described = document->experiment().toJson();
    document->execute({{"command", "move"}, {"positions", {{"agent", {1, 2}}, {"task", {-30, 0.5}}}}});
    EXPECT_EQ(document->experiment().toJson(), described);
    EXPECT_EQ(hashOf(document->validExperiment()), hash);

    const Json clamp{{"port", "modulator.output"}, {"operation", "clamp"}, {"value", 0}},
        lesion{{"port", "agent.recurrent_weight"}, {"operation", "lesion"}};
    document->execute({{"command", "add_intervention"}, {"intervention", clamp}});
    document->execute({{"command", "add_intervention"}, {"intervention", lesion}});
    ASSERT_TRUE(document->problems().empty()) << document->problems().front().text();
    EXPECT_NE(hashOf(document->validExperiment()), hash);
    for (int number : {0, 1})
        document->execute({{"command", "enable_intervention"}, {"number", number}, {"on", false}});
    EXPECT_EQ(document->experiment().interventions.size(), 2u);
    EXPECT_EQ(hashOf(document->validExperiment()), hash);
    document->execute({{"command", "enable_intervention"}, {"number", 0}, {"on", true}});
    EXPECT_NE(hashOf(document->validExperiment()), hash);
}

TEST(Editing, RefusesPositionsThatAreNone) {
    for (const char* canvas :
         {R"(3)", R"({"nodes": []})", R"({"nodes": {"a": [1]}})", R"({"nodes": {"a": [1, 2e7]}})", R"({"node": {}})"}) {
        Json document{{"raphe", 1}, {"nodes", Json::object()}, {"canvas", Json::parse(canvas)}};
        EXPECT_THROW(experimentFromJson(document, registry()), Error) << canvas;
    }
}

} // namespace
} // namespace raphe::test
