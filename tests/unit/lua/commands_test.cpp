// SPDX-License-Identifier: Apache-2.0
// Every command of the table, once from C++ and once as the line of Lua that is echoed for it.
#include "engine/document/json_writer.h"
#include "engine/editing/document.h"
#include "lua_fixture.h"

#include <set>

namespace raphe::test {
namespace {

constexpr const char* original = R"({
  "raphe": 1, "name": "edited", "doc": "Written by hand, not in the usual layout",
  "nodes": {
    "task": {"mechanism": "task.echo"},
    "core": {"mechanism": "model.rnn", "params": {"units": 3, "tau": 5}},
    "readout": {"mechanism": "model.dense", "params": {"units": 2}},
    "learner": {"mechanism": "rule.supervised", "params": {"learning_rate": 1e-1}}
  },
  "wires": ["task.observation -> core.input", {"from": "core.hidden", "to": "readout.input", "delay": 0},
            "readout.output -> learner.prediction", "task.target->learner.target"],
  "record": ["core.hidden", {"port": "readout.output", "every_steps": 2}],
  "interventions": [{"port": "core.hidden", "component": 0, "value": 1.5}, {"port": "readout.weight", "operation": "scale"}],
  "frozen": ["core.*", "readout.bias"],
  "trials": 3, "iterations": 20,
  "canvas": {"nodes": {"task": [0, 0], "core": [100, 0]}}
}
)";

struct Case {
    Json command;
    std::string lua; ///< the echo
};

const std::vector<Case>& cases() {
    static const std::string fragment =
        R"({"nodes":{"core":{"mechanism":"model.rnn"},"b":{"mechanism":"model.dense"}},"wires":["core.hidden -> b.input"],"positions":{"core":[5,6]}})";
    static const std::string echoed =
        R"(e:paste("{\"nodes\":{\"core\":{\"mechanism\":\"model.rnn\"},\"b\":{\"mechanism\":\"model.dense\"}},\"wires\":[\"core.hidden -> b.input\"],\"positions\":{\"core\":[5,6]}}", {50, 60.5}))";
    static const std::vector<Case> list{
        {{{"command", "add_node"}, {"name", "gate"}, {"mechanism", "model.dense"}},
         "e:add_node(\"gate\", \"model.dense\")"},
        {{{"command", "add_node"},
          {"name", "gate"},
          {"mechanism", "model.dense"},
          {"params", {{"units", 4}, {"activation", "tanh"}}},
          {"at", {10, 20.5}}},
         "e:add_node(\"gate\", \"model.dense\", {activation = \"tanh\", units = 4}, {10, 20.5})"},
        {{{"command", "remove_nodes"}, {"names", {"core"}}}, "e:remove_nodes({\"core\"})"},
        {{{"command", "rename_node"}, {"name", "core"}, {"to", "cortex"}}, "e:rename_node(\"core\", \"cortex\")"},
        {{{"command", "set_parameter"}, {"node", "core"}, {"parameter", "tau"}, {"value", 10}},
         "e:set_parameter(\"core\", \"tau\", 10)"},
        {{{"command", "set_parameter"}, {"node", "learner"}, {"parameter", "learning_rate"}, {"value", 1e-6}},
         "e:set_parameter(\"learner\", \"learning_rate\", 1e-06)"},
        {{{"command", "reset_parameter"}, {"node", "core"}, {"parameter", "units"}},
         "e:reset_parameter(\"core\", \"units\")"},
        {{{"command", "reset_parameter"}, {"node", "core"}}, "e:reset_parameter(\"core\")"},
        {{{"command", "move"}, {"positions", {{"core", {-3.25, 7}}, {"learner", {1, 2}}}}},
         "e:move({core = {-3.25, 7}, learner = {1, 2}})"},
        {{{"command", "connect"}, {"from", "task.observation"}, {"to", "readout.input"}},
         "e:connect(\"task.observation\", \"readout.input\")"},
        {{{"command", "connect"}, {"from", "task.observation"}, {"to", "readout.input"}, {"delay", 1}},
         "e:connect(\"task.observation\", \"readout.input\", 1)"},
        {{{"command", "disconnect"}, {"from", "task.target"}, {"to", "learner.target"}},
         "e:disconnect(\"task.target\", \"learner.target\")"},
        {{{"command", "set_delay"}, {"from", "core.hidden"}, {"to", "readout.input"}},
         "e:set_delay(\"core.hidden\", \"readout.input\")"},
        {{{"command", "set_field"}, {"field", "trials"}, {"value", 7}}, "e:set_field(\"trials\", 7)"},
        {{{"command", "set_field"},
          {"field", "stages"},
          {"value", Json::parse(R"([{"name": "a", "iterations": 3, "frozen": [], "set": {"learning_rate": 0.5}}])")}},
         "e:set_field(\"stages\", {{frozen = {}, iterations = 3, name = \"a\", set = {learning_rate = 0.5}}})"},
        {{{"command", "reset_field"}, {"field", "iterations"}}, "e:reset_field(\"iterations\")"},
        {{{"command", "set_name"}, {"name", "other"}}, "e:set_name(\"other\")"},
        {{{"command", "set_doc"}, {"doc", "Two lines,\n\"quoted\" \\ and ünusual \x01"}},
         "e:set_doc(\"Two lines,\\n\\\"quoted\\\" \\\\ and ünusual \\001\")"},
        {{{"command", "freeze"}, {"pattern", "readout.weight"}}, "e:freeze(\"readout.weight\")"},
        {{{"command", "unfreeze"}, {"pattern", "core.*"}}, "e:unfreeze(\"core.*\")"},
        {{{"command", "add_recording"}, {"port", "task.target"}}, "e:add_recording(\"task.target\")"},
        {{{"command", "add_recording"}, {"port", "task.target"}, {"options", {{"trials", 2}, {"every_steps", 5}}}},
         "e:add_recording(\"task.target\", {every_steps = 5, trials = 2})"},
        {{{"command", "set_recording"}, {"port", "readout.output"}}, "e:set_recording(\"readout.output\")"},
        {{{"command", "remove_recording"}, {"port", "core.hidden"}}, "e:remove_recording(\"core.hidden\")"},
        {{{"command", "add_intervention"},
          {"intervention", {{"port", "readout.output"}, {"operation", "lesion"}, {"from", 1}}}},
         "e:add_intervention({from = 1, operation = \"lesion\", port = \"readout.output\"})"},
        {{{"command", "set_intervention"},
          {"number", 1},
          {"intervention", {{"port", "readout.bias"}, {"value", -2.5}}}},
         "e:set_intervention(1, {port = \"readout.bias\", value = -2.5})"},
        {{{"command", "remove_intervention"}, {"number", 0}}, "e:remove_intervention(0)"},
        {{{"command", "enable_intervention"}, {"number", 1}, {"on", false}}, "e:enable_intervention(1, false)"},
        {{{"command", "paste"}, {"fragment", fragment}, {"at", {50, 60.5}}}, echoed},
        {{{"command", "duplicate"}, {"names", {"core", "readout"}}}, "e:duplicate({\"core\", \"readout\"})"},
        {{{"command", "set_mechanism"}, {"node", "core"}, {"mechanism", "model.low_rank_rnn"}},
         "e:set_mechanism(\"core\", \"model.low_rank_rnn\")"},
        {{{"command", "remove_entry"}, {"place", "wires[1]"}}, "e:remove_entry(\"wires[1]\")"},
        {{{"command", "rename_entry"}, {"place", "nodes.core.params.units"}, {"to", "hidden"}},
         "e:rename_entry(\"nodes.core.params.units\", \"hidden\")"},
        {{{"command", "together"},
          {"title", "Turn around"},
          {"commands",
           {{{"command", "set_name"}, {"name", "other"}},
            {{"command", "connect"}, {"from", "task.observation"}, {"to", "readout.input"}}}}},
         "e:together(\"Turn around\", {{command = \"set_name\", name = \"other\"}, {command = \"connect\", from = "
         "\"task.observation\", to = \"readout.input\"}})"},
        {{{"command", "detach"}}, "e:detach()"}};
    return list;
}

class Commands : public LuaTest {
protected:
    const Registry& registry() { return plugins_.registry(); }
    std::unique_ptr<Document> document() { return Document::fromText(text_, "original", registry(), folder_); }
    std::string text_ = original;
};

TEST_F(Commands, AreAllTested) {
    std::set<std::string> tested;
    for (const auto& test : cases()) tested.insert(test.command["command"]);
    for (const auto& info : commands()) EXPECT_TRUE(tested.contains(info.name)) << info.name;
}

TEST_F(Commands, AreTheSameFromLua) {
    for (const bool variant : {false, true}) {
        if (variant) {
            writeFile("base.json", original);
            text_ =
                R"({"raphe": 1, "name": "variant", "base": "base", "nodes": {"core": {"params": {"units": 4}}}, "iterations": 9})";
        }
        for (const auto& test : cases()) {
            SCOPED_TRACE(test.command.dump());
            if (!variant && test.command["command"] == "detach") continue;
            const auto command = checkedCommand(test.command);
            EXPECT_EQ(luaLine(command), test.lua);
            EXPECT_FALSE(summaryOf(command).empty());

            const auto byHand = document();
            EXPECT_TRUE(byHand->execute(test.command));
            const auto edited = byHand->text();
            EXPECT_NE(edited, text_);
            EXPECT_TRUE(byHand->modified());
            EXPECT_EQ(documentText(parseJson(edited, "edited")), edited);

            const std::shared_ptr<Document> byLua = document();
            host().share("e", byLua);
            EXPECT_EQ(run(luaLine(command)), 0);
            EXPECT_EQ(byLua->text(), edited);

            EXPECT_TRUE(byHand->undo());
            EXPECT_EQ(byHand->text(), text_);
            EXPECT_FALSE(byHand->modified());
            EXPECT_TRUE(byHand->redo());
            EXPECT_EQ(byHand->text(), edited);
        }
    }
}

TEST_F(Commands, AreRefusedWithOneSentenceAndChangeNothing) {
    const std::vector<std::pair<const char*, const char*>> refused{
        {R"({"command": "conect"})", "there is no command \"conect\"; did you mean \"connect\"?"},
        {R"({"command": "connect", "from": "core.hidden"})", "connect.to: is missing"},
        {R"({"command": "connect", "from": "core.hidden", "to": "readout"})",
         "expected \"node.port\", got \"readout\""},
        {R"({"command": "connect", "from": "cor.hidden", "to": "readout.input"})", "did you mean \"core\"?"},
        {R"({"command": "connect", "from": "core.hiden", "to": "readout.input"})", "did you mean \"hidden\"?"},
        {R"({"command": "connect", "from": "core.input", "to": "readout.input"})", "core.input is not an output port"},
        {R"({"command": "connect", "from": "core.hidden", "to": "readout.output"})",
         "readout.output is an output, not an input or modulation port"},
        {R"({"command": "connect", "from": "core.hidden", "to": "readout.input"})", "is there already"},
        {R"({"command": "connect", "from": "task.target", "to": "readout.input", "delay": 2})",
         "expected 0 (same step)"},
        {R"({"command": "connect", "from": "task.target", "to": "readout.input", "dely": 1})",
         "did you mean \"delay\"?"},
        {R"({"command": "disconnect", "from": "task.target", "to": "readout.input"})", "there is no wire"},
        {R"({"command": "add_node", "name": "core", "mechanism": "model.rnn"})",
         "choose another name, such as \"core2\""},
        {R"({"command": "add_node", "name": "a b", "mechanism": "model.rnn"})", "consists of letters, digits and _"},
        {R"({"command": "add_node", "name": "a", "mechanism": "model.rn"})", "model.rnn"},
        {R"({"command": "add_node", "name": "a", "mechanism": "model.rnn", "params": {"unit": 3}})",
         "did you mean \"units\"?"},
        {R"({"command": "add_node", "name": "a", "mechanism": "model.rnn", "at": [1]})", "expected a position [x, y]"},
        {R"({"command": "remove_nodes", "names": []})", "expected a list of names"},
        {R"({"command": "remove_nodes", "names": ["core", "gone"]})", "has no node \"gone\""},
        {R"({"command": "rename_node", "name": "core", "to": "task"})", "there is a node \"task\" already"},
        {R"({"command": "set_parameter", "node": "core", "parameter": "units", "value": "many"})", "got \"many\""},
        {R"({"command": "set_parameter", "node": "core", "parameter": "units", "value": null})", "got null"},
        {R"({"command": "reset_parameter", "node": "core", "parameter": "unit"})", "did you mean \"units\"?"},
        {R"({"command": "set_field", "field": "trails", "value": 3})", "did you mean \"trials\"?"},
        {R"({"command": "set_field", "field": "core.units", "value": 3})", "set_parameter"},
        {R"({"command": "set_field", "field": "stages[0].iterations", "value": 3})", "there is no number 0"},
        {R"({"command": "reset_field", "field": "nodes"})", "no field of this name"},
        {R"({"command": "freeze", "pattern": "core.*"})", "already"},
        {R"({"command": "unfreeze", "pattern": "cor.*"})", "did you mean \"core.*\"?"},
        {R"({"command": "add_recording", "port": "core.hidden"})", "is recorded already"},
        {R"({"command": "add_recording", "port": "task.target", "options": {"every_step": 3}})", "every_steps"},
        {R"({"command": "set_recording", "port": "task.target"})", "is not recorded"},
        {R"({"command": "set_intervention", "number": 2, "intervention": {"port": "core.hidden"}})",
         "there is no number 2"},
        {R"({"command": "add_intervention", "intervention": {"port": "core.hiden"}})", "did you mean \"hidden\"?"},
        {R"({"command": "add_intervention", "intervention": {"port": "core.hidden", "operation": "cut"}})",
         "one of clamp"},
        {R"({"command": "enable_intervention", "number": 0, "on": 1})", "expected true or false, got 1"},
        {R"({"command": "move", "positions": {"gone": [1, 2]}})", "has no node \"gone\""},
        {R"({"command": "paste", "fragment": "{"})", "not valid JSON"},
        {R"({"command": "paste", "fragment": "{}"})", "there are no nodes to paste"}};
    const auto edited = document();
    for (const auto& [command, words] : refused) {
        SCOPED_TRACE(command);
        try {
            edited->execute(Json::parse(command));
            ADD_FAILURE() << "was not refused";
        } catch (const Error& error) {
            const std::string message = error.what();
            EXPECT_NE(message.find(words), std::string::npos) << message;
            EXPECT_EQ(message.find('\n'), std::string::npos) << message;
        }
        EXPECT_EQ(edited->text(), text_);
        EXPECT_FALSE(edited->canUndo());
    }
    try {
        edited->execute({{"command", "set_doc"}, {"doc", "\xff"}});
        ADD_FAILURE() << "was not refused";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "set_doc.doc: expected text in UTF-8");
    }
}

TEST_F(Commands, CanBeUndoneFromLuaAndSaved) {
    writeFile("mine.json", original);
    expectHolds("local e = raphe.open('mine.json') local before = e:text()\n"
                "assert(not e:modified() and not e:undo() and not e:redo())\n"
                "assert(e:connect('task.observation', 'readout.input'):set('trials', 5) == e)\n"
                "assert(e:modified() and e:undo() and e:undo() and e:text() == before and not e:modified())\n"
                "assert(e:redo()) e:save('new.json') assert(not e:modified())\n"
                "assert(raphe.open('new.json'):text() == e:text())");
    expectFails("raphe.new('fresh'):save()", "the document has no file yet; name one");
    expectFails("raphe.new('fresh'):save('../../outside.json')", "outside");
    expectFails("raphe.new('fresh'):connect('a.x')", "connect.to: is missing");
    expectFails("raphe.new('fresh'):detach(1)", "takes at most 0 arguments, got 1");
}

TEST_F(Commands, BuildAnExperimentFromNothing) {
    expectHolds(
        "local e = raphe.new('fresh')\n"
        "e:add_node('task', 'task.echo', nil, {0, 0}) e:add_node('readout', 'model.dense', {units = 2})\n"
        "e:add_node('learner', 'rule.supervised')\n"
        "local p = e:problems() assert(#p > 0 and p[1].node and p[1].sentence and p[1].text)\n"
        "local missing = {} for _, q in ipairs(p) do if q.port then missing[q.node .. '.' .. q.port] = true end end\n"
        "assert(missing['readout.input'] and missing['learner.prediction'])\n"
        "assert(e:can_connect('task.observation', 'readout.input'))\n"
        "local fits, why = e:can_connect('readout.input', 'task.target') assert(not fits and #why > 0)\n"
        "e:connect('task.observation', 'readout.input') e:connect('readout.output', 'learner.prediction')\n"
        "e:connect('task.target', 'learner.target') e:set_field('trials', 3)\n"
        "assert(#e:problems() == 0) local s = e:session{ threads = 1 } s:train{ iterations = 2 }\n"
        "e:paste(e:copy_nodes('readout')) assert(e:json().nodes.readout2)\n"
        "assert(#raphe.new{ nodes = { a = { mechanism = 'model.dense' } } }:problems() > 0)");
}

} // namespace
} // namespace raphe::test
