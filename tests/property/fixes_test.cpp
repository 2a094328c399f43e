// SPDX-License-Identifier: Apache-2.0
// Problems have remedies: each that is offered takes its problem away, as one step to undo.
#include "engine/document/experiment_fields.h"
#include "engine/editing/document.h"
#include "lua/lua_host.h"
#include "support.h"
#include "support/random_edits.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace raphe::test {
namespace {

/// A mistake in a document, and the remedy that should come first.
struct Mistake {
    const char* experiment;
    const char* place; ///< of the problem: begins with this
    std::function<void(Json& document)> make;
    const char* remedy;
};

std::vector<Mistake> mistakes() {
    const auto param = [](const char* node, const char* key, Json value) {
        return [=](Json& d) { d["nodes"][node]["params"][key] = value; };
    };
    const auto secondWire = [](Json wire) { return [=](Json& d) { d["wires"][1] = wire; }; };
    return {
        {"mwg_nm_rnn", "nodes.core.params.rank", param("core", "rank", 0), "Set rank to 1"},
        {"mwg_nm_rnn", "nodes.core.params.units", param("core", "units", "50"), "Set units to 50"},
        {"mwg_nm_rnn", "nodes.core.params.unitss", param("core", "unitss", 12), "Remove unitss"},
        {"mwg_nm_rnn", "nodes.modulator.params.tua", param("modulator", "tua", 3), "Remove tua"},
        {"mwg_nm_rnn", "nodes.modulator.params.tua",
         [](Json& d) {
             auto& params = d["nodes"]["modulator"]["params"];
             params.erase("tau");
             params["tua"] = 100;
         },
         "Rename it to tau"},
        {"cue_small_A", "nodes.agent.params.rule", param("agent", "rule", "simpel"), "Set rule to simple"},
        {"mwg_nm_rnn", "nodes.core", [](Json& d) { d["nodes"]["core"]["parms"] = Json::object(); },
         "Remove nodes.core.parms"},
        {"mwg_nm_rnn", "nodes.core.mechanism", [](Json& d) { d["nodes"]["core"]["mechanism"] = "model.low_rank_rn"; },
         "Make it a model.low_rank_rnn"},
        {"mwg_nm_rnn", "wires[", secondWire("modulater.hidden -> gate.input"), "Begin at modulator.hidden"},
        {"mwg_nm_rnn", "wires[", secondWire("nonsense"), "Remove the wire"},
        {"mwg_nm_rnn", "iteratoins", [](Json& d) { d["iteratoins"] = 7; }, "Remove iteratoins"},
        {"mwg_nm_rnn", "trials", [](Json& d) { d["trials"] = -4; }, "Make a batch"},
        {"mwg_nm_rnn", "dt", [](Json& d) { d["dt"] = 0; }, "Reset dt to 1"},
        {"mwg_nm_rnn", "precision", [](Json& d) { d["precision"] = "float6"; }, "Set precision to float64"},
        {"mwg_nm_rnn", "streams", [](Json& d) { d["streams"] = "yes"; }, "Reset streams to false"},
        {"mwg_nm_rnn", "frozen[0]", [](Json& d) { d["frozen"] = {"core.left_facto"}; }, "Freeze core.left_factor"},
        {"mwg_nm_rnn", "record[0]", [](Json& d) { d["record"] = {"core.hiden"}; }, "Record core.hidden"},
        {"mwg_nm_rnn", "record[0].every_steps",
         [](Json& d) {
             d["record"] = {{{"port", "core.hidden"}, {"every_steps", 0}}};
         },
         "Take the default of every_steps"},
        {"mwg_nm_rnn", "interventions[0]",
         [](Json& d) {
             d["interventions"] = {{{"port", "core.hiden"}, {"value", 0}}};
         },
         "Act on core.hidden"},
        {"mwg_nm_rnn", "interventions[0]",
         [](Json& d) {
             d["interventions"] = {{{"port", "core.hidden"}, {"component", 100000}}};
         },
         "Act on all components"},
        {"mwg_nm_rnn", "interventions[0]",
         [](Json& d) {
             d["interventions"] = {{{"port", "core.hidden"}, {"from", 5}, {"to", 3}}};
         },
         "Act in the whole trial"},
        {"mwg_nm_rnn_staged", "iterations", [](Json& d) { d["iterations"] = 999'999'999; }, "Set iterations to"},
    };
}

const LocatedProblem* problemAt(const Document& document, const std::string& place) {
    for (const auto& problem : document.problems())
        if (problem.place.starts_with(place)) return &problem;
    return nullptr;
}

std::unique_ptr<Document> mistaken(const Mistake& mistake) {
    auto document = Document::open(mistake.experiment, registry())->complete();
    mistake.make(document);
    return Document::fromJson(document, registry());
}

TEST(Fixes, TakeTheirProblemAwayAndAreOneStepToUndo) {
    for (const auto& mistake : mistakes()) {
        SCOPED_TRACE(std::string(mistake.place) + ", " + mistake.remedy);
        const auto document = mistaken(mistake);
        const auto* problem = problemAt(*document, mistake.place);
        ASSERT_TRUE(problem) << (document->problems().empty() ? "sound" : document->problems().front().text());
        const auto text = problem->text(), before = document->text();
        const auto fixes = document->fixes(*problem);
        ASSERT_FALSE(fixes.empty()) << text;
        EXPECT_TRUE(fixes.front().title.starts_with(mistake.remedy)) << fixes.front().title;
        for (const auto& fix : fixes) {
            ASSERT_FALSE(fix.isChoice());
            document->execute(fix.command());
            for (const auto& left : document->problems()) EXPECT_NE(left.text(), text) << fix.title;
            ASSERT_TRUE(document->undo());
            EXPECT_EQ(document->text(), before) << fix.title;
            EXPECT_FALSE(document->canUndo());
        }
    }
}

TEST(Fixes, OfAPortOfferTheOutputsThatFitTheExactOnesFirst) {
    const auto document = Document::open("mwg_nm_rnn", registry());
    document->execute({{"command", "disconnect"}, {"from", "readout.output"}, {"to", "learner.prediction"}});
    const auto* problem = problemAt(*document, "nodes.learner");
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->port, "prediction");
    const auto fixes = document->fixes(*problem);
    ASSERT_FALSE(fixes.empty());
    EXPECT_TRUE(
        std::any_of(fixes.begin(), fixes.end(), [](const Fix& fix) { return fix.title == "Connect readout.output"; }));
}

TEST(Fixes, OfSizesSetTheParameterThatSaysThem) {
    const auto document = Document::open("mwg_nm_rnn", registry());
    const auto rank = std::get<std::int64_t>(document->experiment().node("core")->params.at("rank"));
    document->execute({{"command", "set_parameter"}, {"node", "core"}, {"parameter", "rank"}, {"value", rank + 2}});
    const auto* problem = problemAt(*document, "wires[");
    ASSERT_TRUE(problem);
    const auto fixes = document->fixes(*problem);
    const auto offers = [&](const std::string& title) {
        return std::any_of(fixes.begin(), fixes.end(), [&](const Fix& fix) { return fix.title == title; });
    };
    EXPECT_TRUE(offers("Set core.rank to " + std::to_string(rank)));
    EXPECT_TRUE(offers("Set gate.units to " + std::to_string(rank + 2)));
}

TEST(Fixes, OfACycleDelayItsWire) {
    const auto document = Document::create("cycle", registry());
    for (const char* name : {"a", "b"})
        document->execute({{"command", "add_node"}, {"name", name}, {"mechanism", "model.dense"}});
    document->execute({{"command", "connect"}, {"from", "a.output"}, {"to", "b.input"}, {"delay", 0}});
    document->execute({{"command", "connect"}, {"from", "b.output"}, {"to", "a.input"}, {"delay", 0}});
    const auto* problem = problemAt(*document, "wires[");
    ASSERT_TRUE(problem);
    const auto fixes = document->fixes(*problem);
    ASSERT_FALSE(fixes.empty());
    EXPECT_EQ(fixes.front().title, "Deliver the value of the previous step");
}

TEST(Fixes, AreOfferedInLuaWithTheirCommands) {
    LuaHost lua(plugins());
    const std::shared_ptr<Document> document =
        mistaken({"mwg_nm_rnn", "", [](Json& d) { d["nodes"]["core"]["params"]["rank"] = 0; }, ""});
    lua.share("e", document);
    EXPECT_EQ(lua.runText("local fix = e:problems()[1].fixes[1]\n"
                          "assert(fix.title == 'Set rank to 1', fix.title)\n"
                          "e:execute(fix.command)",
                          "fixes"),
              0);
    EXPECT_EQ(std::get<std::int64_t>(document->experiment().node("core")->params.at("rank")), 1);
}

TEST(Fixes, OfRandomDocumentsNeverThrow) {
    for (std::uint32_t script = 0; script < 60; ++script) {
        RandomEdits edits(script);
        const auto document = Document::open(edits.any<std::string>({"cue_small_A", "mwg_nm_rnn_staged"}), registry());
        for (int i = 0; i < 8; ++i) {
            const auto command = edits.next(*document);
            const auto why = document->refusal(command);
            try {
                document->execute(command);
                EXPECT_EQ(why, "") << command;
            } catch (const Error& error) {
                EXPECT_EQ(why, error.what()) << command;
            }
        }
        const auto text = document->text();
        for (const auto& problem : document->problems()) {
            ASSERT_NO_THROW(document->fixes(problem)) << problem.text();
            break; // one of each document; trying them takes its time
        }
        ASSERT_EQ(document->text(), text);
    }
}

TEST(Resets, OfAVariantReturnToItsBase) {
    const auto base = Document::open("mwg_nm_rnn", registry()),
               variant = Document::open("mwg_small_nm_rnn", registry());
    const auto text = variant->text();
    const auto nodes = variant->experiment().nodes;
    for (const auto& node : nodes)
        for (const auto& [key, value] : node.params)
            variant->execute({{"command", "reset_parameter"}, {"node", node.name}, {"parameter", key}});
    for (const auto& node : variant->experiment().nodes)
        EXPECT_EQ(node.params, base->experiment().node(node.name)->params) << node.name;
    variant->execute({{"command", "reset_field"}, {"field", "iterations"}});
    EXPECT_EQ(variant->experiment().iterations, base->experiment().iterations);
    EXPECT_FALSE(variant->json().contains("iterations"));
    EXPECT_FALSE(variant->json().contains("nodes"));
    while (variant->undo()) {
    }
    EXPECT_EQ(variant->text(), text);
    // Without a base, and once it is detached, to the default.
    variant->execute({{"command", "detach"}});
    variant->execute({{"command", "reset_parameter"}, {"node", "core"}, {"parameter", "rank"}});
    const auto& info = *registry().find("model.low_rank_rnn", "").declaration.param("rank");
    EXPECT_EQ(variant->experiment().node("core")->params.at("rank"), info.initial);
}

TEST(Together, IsOneStepAndHappensAsAWhole) {
    const auto document = Document::open("mwg_nm_rnn", registry());
    const auto text = document->text();
    const Json rename{{"command", "rename_node"}, {"name", "core"}, {"to", "network"}};
    const Json record{{"command", "add_recording"}, {"port", "network.hidden"}};
    document->execute({{"command", "together"}, {"title", "Both"}, {"commands", {rename, record}}});
    EXPECT_EQ(document->undoTitle(), "Both");
    EXPECT_EQ(document->experiment().recordings.back().port.text(), "network.hidden");
    document->undo();
    EXPECT_EQ(document->text(), text);
    EXPECT_THROW(document->execute({{"command", "together"}, {"title", "Both"}, {"commands", {rename, rename}}}),
                 Error);
    EXPECT_EQ(document->text(), text);
    EXPECT_THROW(document->execute({{"command", "together"},
                                    {"title", "Nested"},
                                    {"commands", {{{"command", "together"}, {"title", ""}, {"commands", {rename}}}}}}),
                 Error);
}

TEST(FieldTable, IsWhatTheDocumentSays) {
    const Experiment plain;
    for (const auto& info : experimentFields()) {
        EXPECT_EQ(info.get(plain), info.initial) << info.key;
        EXPECT_FALSE(info.help.empty()) << info.key;
        EXPECT_EQ(readField(info, toJson(info.initial), info.key), info.initial) << info.key;
        Experiment changed;
        info.set(changed, info.initial);
        EXPECT_EQ(changed.toJson(), plain.toJson()) << info.key;
    }
    const auto refusal = [](const char* key, const Json& value) -> std::string {
        try {
            readField(*experimentField(key), value, key);
            return {};
        } catch (const Error& error) {
            return error.what();
        }
    };
    EXPECT_EQ(refusal("seed", -1), "seed: expected integer >= 0, got -1");
    EXPECT_EQ(refusal("seed", std::numeric_limits<std::int64_t>::max()), "");
    EXPECT_EQ(refusal("trials", 1'000'001), "trials: expected integer from 0 to 1000000, got 1000001");
    EXPECT_EQ(refusal("dt", 0), "dt: expected a number > 0, got 0");
    EXPECT_EQ(refusal("memory_mib", 2e6), "memory_mib: expected a number > 0 and <= 1000000, got 2000000.0");
    EXPECT_EQ(refusal("precision", "half"), "precision: expected \"float32\" or \"float64\", got \"half\"");
    EXPECT_EQ(refusal("streams", 1), "streams: expected true or false, got 1");
}

} // namespace
} // namespace raphe::test
