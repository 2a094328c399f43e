// SPDX-License-Identifier: GPL-3.0-or-later
#include "dialog_answers.h"
#include "engine/base/files.h"
#include "engine/editing/recorded_script.h"
#include "gui/scripting/commands_panel.h"
#include "gui/scripting/console_history.h"
#include "gui/scripting/console_panel.h"
#include "gui/scripting/example_scripts.h"
#include "gui/scripting/script_draft.h"
#include "gui/scripting/script_tab.h"
#include "gui/shell/main_window.h"
#include "support/random_edits.h"
#include "window_support.h"

#include <QLineEdit>

#include <QPlainTextEdit>
#include <QProcess>
#include <QSettings>
#include <QTabWidget>
#include <QTemporaryDir>
#include <QTest>

#include <fstream>

namespace raphe {
namespace {

using test::DialogAnswers;
using test::eventually;
using test::plugins;

class Scripting : public testing::Test {
protected:
    Scripting() : window(plugins(), folder.path().toStdString()) { window.show(); }
    ~Scripting() override {
        DialogAnswers answers{{"Discard", "Quit"}};
        window.close();
    }

    /// Types into the console and waits for what comes of it. @return what was printed since
    QString console(const QString& text) {
        const auto before = window.console().output().size();
        window.console().input().setText(text);
        EXPECT_TRUE(window.console().enter()) << text.toStdString();
        EXPECT_TRUE(eventually([&] { return !window.console().running(); }));
        return window.console().output().mid(before);
    }
    /// Runs a text as a script. @return its tab
    ScriptTab& script(const QString& text) {
        ScriptTab* tab = window.createScript(text);
        tab->run();
        return *tab;
    }
    bool ends(ScriptTab& tab) {
        return eventually([&] { return !tab.running(); });
    }
    std::string write(const QString& name, const std::string& text) {
        const auto path = (folder.path() + "/" + name).toStdString();
        std::ofstream(path, std::ios::binary) << text;
        return path;
    }

    QTemporaryDir folder;
    MainWindow window;
};

// -- the console ------------------------------------------------------------------------------------------------------

TEST_F(Scripting, TheConsoleChangesTheDocumentInFrontAndUndoWorks) {
    CanvasView* view = window.open("cue_small_A_simple");
    const std::string before = view->document().document().text();
    EXPECT_TRUE(console("e:add_node(\"gate\", \"model.dense\", {units = 3}, {40, 50})").contains("experiment"));
    EXPECT_TRUE(view->document().experiment().node("gate"));
    EXPECT_GE(view->canvas().graph().node("gate"), 0) << "the canvas shows it at once";
    EXPECT_EQ(window.commands().lines().back(), "e:add_node(\"gate\", \"model.dense\", {units = 3}, {40, 50})");
    EXPECT_TRUE(console("e:get(\"gate.units\")").contains("\n3\n"));
    view->document().undo();
    EXPECT_EQ(view->document().document().text(), before);
    EXPECT_TRUE(console("e:modified()").contains("false"));
}

TEST_F(Scripting, TheConsoleSaysWhatIsWrongAndGoesOn) {
    window.open("cue_small_A_simple");
    EXPECT_TRUE(console("e:set(\"agent.hiden\", 3)").contains("did you mean \"hidden\""));
    EXPECT_TRUE(console("error(\"no\")").contains("console:1: no"));
    EXPECT_TRUE(console("x = {1, two = {3}, e}").isEmpty() == false);
    EXPECT_TRUE(console("x").contains("{1, experiment cue_small_A_simple"));
    EXPECT_TRUE(console("x.two").contains("{3}"));
}

TEST_F(Scripting, EnterRunsALineWhoseLastWordIsInTheListOfCompletions) {
    auto& input = window.console().input();
    // By itself, since lists are shown on the screen only, and the window may be larger than that.
    auto& console = window.console();
    auto* const place = console.parentWidget();
    console.setParent(nullptr);
    console.setGeometry(0, 0, 600, 300);
    console.show();
    input.setFocus();
    QTest::keyClicks(&input, "for i = 1, 2 do print(i * 7) end");
    ASSERT_TRUE(input.completing()) << "\"end\" is among what may stand there";
    QTest::keyClick(&input, Qt::Key_Return);
    ASSERT_TRUE(eventually([&] { return window.console().output().contains("14") && !window.console().running(); }));
    EXPECT_TRUE(input.text().isEmpty());
    QTest::keyClicks(&input, "e:prob");
    ASSERT_TRUE(input.completing());
    QTest::keyClick(&input, Qt::Key_Return);
    EXPECT_EQ(input.text(), "e:problems") << "a name that is not finished is completed";
    console.setParent(place);
}

TEST_F(Scripting, TheConsoleTakesLinesUntilATextIsComplete) {
    auto& panel = window.console();
    panel.input().setText("for i = 1, 3 do");
    panel.input().SendScintilla(QsciScintillaBase::SCI_DOCUMENTEND);
    EXPECT_FALSE(panel.enter());
    EXPECT_EQ(panel.input().lines(), 2);
    panel.input().append("print(i * 11) end");
    EXPECT_TRUE(panel.enter());
    ASSERT_TRUE(eventually([&] { return !panel.running(); }));
    EXPECT_TRUE(panel.output().contains("11\n22\n33\n")) << panel.output().toStdString();
}

TEST_F(Scripting, AnEndlessLoopInTheConsoleLeavesTheWindowFreeAndIsStopped) {
    CanvasView* view = window.open("cue_small_A_simple");
    auto& panel = window.console();
    panel.input().setText("while true do pcall(e.get, e, \"trials\") end");
    ASSERT_TRUE(panel.enter());
    int turns = 0; // of the event loop while the script calls the document
    ASSERT_TRUE(eventually([&] { return ++turns > 200; }));
    EXPECT_TRUE(panel.running());
    EXPECT_TRUE(view->document().execute({{"command", "set_name"}, {"name", "edited"}}));
    panel.stop();
    ASSERT_TRUE(eventually([&] { return !panel.running(); }));
    EXPECT_TRUE(panel.output().contains("stopped"));
    EXPECT_TRUE(console("e:json().name").contains("edited"));
}

TEST_F(Scripting, ADocumentThatIsClosedIsGoneForScripts) {
    CanvasView* view = window.open("cue_small_A_simple");
    console("kept = e");
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
    const std::weak_ptr<Document> document = view->document().shared();
    Q_EMIT tabs->tabCloseRequested(tabs->indexOf(view));
    EXPECT_TRUE(document.expired()) << "nothing keeps it, so that its journal goes";
    EXPECT_TRUE(console("kept:text()").contains("has been closed"));
}

TEST_F(Scripting, TheHistoryGoesBackAndForthAndIsKept) {
    QSettings{}.remove("console/history");
    ConsoleHistory history;
    history.add("one");
    history.add("two\nlines");
    history.add("one");
    EXPECT_EQ(history.older("typed"), "one");
    EXPECT_EQ(history.older("one"), "two\nlines");
    EXPECT_EQ(history.older("two\nlines"), "two\nlines");
    EXPECT_EQ(history.newer(""), "one");
    EXPECT_EQ(history.newer(""), "typed");
    EXPECT_EQ(ConsoleHistory{}.entries(), (QStringList{"two\nlines", "one"}));
    auto& panel = window.console();
    panel.input().setText("1 + 1");
    QTest::keyClick(&panel.input(), Qt::Key_Return);
    ASSERT_TRUE(eventually([&] { return !panel.running(); }));
    QTest::keyClick(&panel.input(), Qt::Key_Up);
    EXPECT_EQ(panel.input().text(), "1 + 1");
}

// -- scripts ----------------------------------------------------------------------------------------------------------

TEST_F(Scripting, AScriptPrintsWhileItRunsAndHasTheDocumentInFront) {
    window.open("cue_small_A_simple");
    ScriptTab& tab = script("print('before'); while not e:json().doc:find('go on') do end; print(e:get('trials'))\n"
                            "io.write('no end of line')");
    ASSERT_TRUE(eventually([&] { return tab.output().contains("before"); }));
    EXPECT_TRUE(tab.running());
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
    EXPECT_TRUE(tabs->tabText(tabs->indexOf(&tab)).contains("▶"));
    qobject_cast<CanvasView*>(tabs->widget(1))->document().execute({{"command", "set_doc"}, {"doc", "now go on"}});
    ASSERT_TRUE(ends(tab));
    EXPECT_TRUE(tab.output().endsWith("no end of line")) << tab.output().toStdString();
}

TEST_F(Scripting, IsStoppedInsideATrainingAndWhateverItPrints) {
    ScriptTab& endless = script("pcall(function() while true do print('again') end end)");
    ASSERT_TRUE(eventually([&] { return endless.output().contains("again"); }));
    endless.stop();
    ASSERT_TRUE(ends(endless));
    ScriptTab& training =
        script("local e = raphe.load('cue_small_A_simple'); e:set('agent.hidden', 6); print('begun')\n"
               "e:session{threads = 1}:train{iterations = 100000000}");
    ASSERT_TRUE(eventually([&] { return training.output().contains("begun"); }));
    training.stop();
    ASSERT_TRUE(ends(training));
}

TEST_F(Scripting, AMistakeIsMarkedOnItsLine) {
    ScriptTab& broken = *window.createScript("local a = 1\nlocal b = = 2\n");
    EXPECT_EQ(broken.editor().mistakes(), std::vector<int>{2});
    EXPECT_TRUE(broken.editor().annotation(1).contains("unexpected symbol"));
    broken.editor().setText("local a = 1\nlocal b = 2\n\nraphe.loda('x')\n");
    ASSERT_TRUE(eventually([&] { return broken.editor().mistakes().empty(); }));
    broken.run();
    ASSERT_TRUE(ends(broken));
    EXPECT_EQ(broken.editor().mistakes(), std::vector<int>{4});
    EXPECT_TRUE(broken.editor().annotation(3).contains("did you mean \"load\""))
        << broken.editor().annotation(3).toStdString();
    broken.editor().append("-- edited");
    EXPECT_TRUE(broken.editor().mistakes().empty());
}

TEST_F(Scripting, OpensSavesAndFindsFilesBesideTheScript) {
    write("helper.lua", "return {value = 42}");
    const auto path = write("main.lua", "#!/usr/bin/env raphe\nprint(require('helper').value, raphe.args[2])\r\n");
    ScriptTab* tab = window.openScript(QString::fromStdString(path));
    ASSERT_TRUE(tab);
    EXPECT_EQ(window.openScript(QString::fromStdString(path)), tab) << "it is open already";
    tab->findChild<QLineEdit*>()->setText("--seed \"two words\"");
    tab->run();
    ASSERT_TRUE(ends(*tab));
    EXPECT_EQ(tab->output(), "42\ttwo words\n");
    EXPECT_FALSE(tab->unsaved());
    tab->save(path);
    EXPECT_EQ(readBytes(path, 1000), "#!/usr/bin/env raphe\nprint(require('helper').value, raphe.args[2])\r\n");
    tab->editor().append("-- more");
    EXPECT_TRUE(tab->unsaved());
}

TEST_F(Scripting, ProtocolsThatComeWithRapheAreListedAndSound) {
    const auto examples = exampleScripts();
    ASSERT_GT(examples.size(), 4u);
    for (const auto& example : examples) {
        EXPECT_GT(example.summary.size(), 20u) << example.name;
        ScriptTab* tab = window.openScript(QString::fromStdString(example.file.string()));
        ASSERT_TRUE(tab) << example.name;
        EXPECT_TRUE(tab->editor().mistakes().empty()) << example.name;
        EXPECT_TRUE(isExampleScript(tab->file()));
    }
}

TEST_F(Scripting, ClosingAChangedScriptAsks) {
    ScriptTab* tab = window.createScript();
    tab->editor().insert("print(1)");
    auto* tabs = window.centralWidget()->findChild<QTabWidget*>();
    {
        DialogAnswers answers{{"Cancel"}};
        Q_EMIT tabs->tabCloseRequested(tabs->indexOf(tab));
        EXPECT_EQ(answers.seen().size(), 1);
        EXPECT_FALSE(window.close()) << "quitting asks as well";
    }
    EXPECT_GE(tabs->indexOf(tab), 0);
    DialogAnswers answers{{"Save"}, folder.path() + "/kept.lua"};
    Q_EMIT tabs->tabCloseRequested(tabs->indexOf(tab));
    EXPECT_EQ(tabs->count(), 1);
    EXPECT_EQ(readBytes((folder.path() + "/kept.lua").toStdString(), 100), "print(1)");
}

TEST_F(Scripting, AnUnsavedScriptIsKeptOnDiskUntilItIsSavedOrDiscarded) {
    const auto drafts = std::filesystem::path(folder.path().toStdString()) / "drafts";
    QStringList unusable;
    {
        ScriptTab tab{plugins(),
                      {[] { return std::weak_ptr<Document>{}; }, [] { return std::filesystem::path{}; }, {}, drafts}};
        tab.editor().insert("-- ünsaved\nprint(1)");
        ASSERT_TRUE(eventually([&] {
            return std::filesystem::exists(drafts) && !std::filesystem::is_empty(drafts) &&
                   QDir{QString::fromStdString(drafts.string())}.entryList({"*.draft"}).size() == 1;
        }));
        EXPECT_TRUE(scriptsIn(drafts, unusable).empty()) << "it is open here";
        std::filesystem::copy(drafts, folder.path().toStdString() + "/left", std::filesystem::copy_options::recursive);
        QFile::remove(folder.path() + "/left/" + QDir{folder.path() + "/left"}.entryList({"*.lock"}).value(0));
    }
    EXPECT_TRUE(QDir{QString::fromStdString(drafts.string())}.entryList({"*.draft"}).isEmpty());
    const auto left = scriptsIn(folder.path().toStdString() + "/left", unusable);
    ASSERT_EQ(left.size(), 1u);
    EXPECT_EQ(left.front().text, "-- ünsaved\nprint(1)");
    EXPECT_TRUE(unusable.isEmpty());
}

// -- what was recorded ------------------------------------------------------------------------------------------------

/// What `raphe lua` makes of a script.
std::string headless(const std::filesystem::path& script, const QString& folder) {
    QProcess process;
    process.setWorkingDirectory(folder);
    process.start(RAPHE_PROGRAM, {"lua", QString::fromStdString(script.string()), "made.json"});
    EXPECT_TRUE(process.waitForFinished(60000));
    EXPECT_EQ(process.exitCode(), 0) << process.readAllStandardError().toStdString();
    return readBytes((folder + "/made.json").toStdString(), 1 << 24);
}

TEST_F(Scripting, EveryCommandSavedAsAScriptMakesTheSameBytesHeadless) {
    const std::string fragment = R"({"nodes":{"b":{"mechanism":"model.dense"}},"wires":[],"positions":{"b":[5,6]}})";
    const std::vector<Json> list{
        {{"command", "detach"}},
        {{"command", "add_node"},
         {"name", "gate"},
         {"mechanism", "model.dense"},
         {"params", {{"units", 4}}},
         {"at", {1, 2}}},
        {{"command", "add_node"}, {"name", "extra"}, {"mechanism", "model.rnn"}},
        {{"command", "rename_node"}, {"name", "extra"}, {"to", "more"}},
        {{"command", "set_parameter"}, {"node", "agent"}, {"parameter", "hidden"}, {"value", 12}},
        {{"command", "set_parameter"}, {"node", "learner"}, {"parameter", "discount"}, {"value", 0.1}},
        {{"command", "reset_parameter"}, {"node", "learner"}, {"parameter", "discount"}},
        {{"command", "connect"}, {"from", "agent.hidden"}, {"to", "gate.input"}, {"delay", 1}},
        {{"command", "set_delay"}, {"from", "agent.hidden"}, {"to", "gate.input"}},
        {{"command", "connect"}, {"from", "gate.output"}, {"to", "more.input"}},
        {{"command", "disconnect"}, {"from", "gate.output"}, {"to", "more.input"}},
        {{"command", "set_field"}, {"field", "trials"}, {"value", 7}},
        {{"command", "reset_field"}, {"field", "dt"}},
        {{"command", "set_field"}, {"field", "dt"}, {"value", 0.5}},
        {{"command", "set_name"}, {"name", "other ]] name"}},
        {{"command", "set_doc"}, {"doc", "Two lines,\n\"quoted\" \\ and ünusual \x01 ]=] end]"}},
        {{"command", "freeze"}, {"pattern", "agent.*"}},
        {{"command", "unfreeze"}, {"pattern", "agent.*"}},
        {{"command", "add_recording"}, {"port", "agent.hidden"}, {"options", {{"every_steps", 5}}}},
        {{"command", "set_recording"}, {"port", "agent.hidden"}, {"options", {{"trials", 2}}}},
        {{"command", "add_recording"}, {"port", "gate.output"}},
        {{"command", "remove_recording"}, {"port", "gate.output"}},
        {{"command", "add_intervention"}, {"intervention", {{"port", "agent.hidden"}, {"operation", "lesion"}}}},
        {{"command", "add_intervention"}, {"intervention", {{"port", "agent.hidden"}, {"value", 1.5}}}},
        {{"command", "set_intervention"}, {"number", 0}, {"intervention", {{"port", "agent.hidden"}, {"value", -2.5}}}},
        {{"command", "enable_intervention"}, {"number", 0}, {"on", false}},
        {{"command", "remove_intervention"}, {"number", 1}},
        {{"command", "move"}, {"positions", {{"gate", {-3.25, 7}}, {"agent", {1, 2}}}}},
        {{"command", "paste"}, {"fragment", fragment}, {"at", {50, 60.5}}},
        {{"command", "duplicate"}, {"names", {"gate", "more"}}},
        {{"command", "set_parameter"}, {"node", "gate"}, {"parameter", "units"}, {"value", 3}},
        {{"command", "rename_entry"}, {"place", "nodes.gate.params.units"}, {"to", "unit"}},
        {{"command", "remove_entry"}, {"place", "nodes.gate.params.unit"}},
        {{"command", "set_mechanism"}, {"node", "gate"}, {"mechanism", "model.rnn"}},
        {{"command", "together"},
         {"title", "Both"},
         {"commands",
          {{{"command", "set_name"}, {"name", "third"}},
           {{"command", "set_field"}, {"field", "trials"}, {"value", 5}}}}},
        {{"command", "remove_nodes"}, {"names", {"gate"}}}};
    std::set<std::string> missing;
    for (const auto& info : commands()) missing.insert(info.name);
    CanvasView* view = window.open("cue_small_A_retro"); // a variant
    auto& document = view->document();
    ASSERT_TRUE(document.document().isVariant());
    const auto script = folder.path().toStdString() + "/recorded.lua";
    for (const auto& command : list) {
        SCOPED_TRACE(command.dump());
        missing.erase(command["command"].get<std::string>());
        QString refused;
        const auto connection =
            QObject::connect(&document, &OpenDocument::refused, [&](const QString& why) { refused = why; });
        document.execute(command);
        QObject::disconnect(connection);
        EXPECT_TRUE(refused.isEmpty()) << refused.toStdString();
        window.commands().saveScript(script);
        LuaOptions options;
        options.workingFolder = folder.path().toStdString();
        options.scriptArguments = {"made.json"};
        LuaHost lua{plugins(), options};
        ASSERT_EQ(lua.runFile(script), 0);
        ASSERT_EQ(readBytes(folder.path().toStdString() + "/made.json", 1 << 24), document.document().text());
    }
    EXPECT_TRUE(missing.empty()) << *missing.begin();
    EXPECT_NE(readBytes(script, 1 << 20).find("raphe.open(\"cue_small_A_retro\")"), std::string::npos);
    EXPECT_EQ(headless(script, folder.path()), document.document().text());
}

TEST_F(Scripting, RandomEditsWithDragsAndUndoneStepsAreRecorded) {
    const auto file = write("hand.json", R"({"raphe": 1, "name": "hand ]] written",   "nodes": {}, "wires": []})"
                                         "\n");
    for (std::uint32_t seed = 0; seed < 12; ++seed) {
        test::RandomEdits edits(seed);
        auto document = seed % 3 == 0 ? Document::open(file, plugins().registry())
                                      : Document::open("cue_small_A_simple", plugins().registry());
        for (int i = 0; i < 40; ++i) {
            try {
                document->execute(edits.next(*document), edits.below(3) == 0 ? "drag" : "");
            } catch (const Error&) { // refused
            }
            if (edits.below(4) == 0) document->undo();
            if (edits.below(8) == 0) document->redo();
        }
        LuaOptions options;
        options.workingFolder = folder.path().toStdString();
        options.scriptArguments = {"made.json"};
        LuaHost lua{plugins(), options};
        const auto text = scriptOf(*document);
        ASSERT_EQ(lua.runText(text, "recorded"), 0) << text;
        ASSERT_EQ(readBytes(folder.path().toStdString() + "/made.json", 1 << 24), document->text()) << text;
    }
}

// -- completion -------------------------------------------------------------------------------------------------------

class Completing : public testing::Test {
protected:
    Completing() {
        source.vocabulary = LuaHost{plugins()}.vocabulary();
        source.registry = &plugins().registry();
        source.experiment = &document->experiment();
    }
    QStringList at(const QString& before) { return completionAt(before, source).words; }

    std::unique_ptr<Document> document = Document::open("cue_small_A_simple", plugins().registry());
    CompletionSource source;
};

TEST_F(Completing, KnowsTheModuleFromItsOwnTables) {
    EXPECT_TRUE(at("raphe.").contains("load"));
    EXPECT_EQ(at("raphe.json.e"), QStringList{"encode"});
    EXPECT_EQ(at("local r = require \"raphe\"\nr.des"), QStringList{"describe"});
    EXPECT_TRUE(at("string.").contains("format"));
    EXPECT_FALSE(at("string.").contains("dump")) << "scripts do not have it";
}

TEST_F(Completing, KnowsEveryCommandAsAMethod) {
    const auto methods = at("e:");
    for (const auto& info : commands()) {
        EXPECT_TRUE(methods.contains(info.name)) << info.name;
        EXPECT_FALSE(callTip(info.name).isEmpty());
    }
    EXPECT_FALSE(methods.contains("train"));
    EXPECT_TRUE(at("local s = e:session{seed = 1}\ns:").contains("train"));
    EXPECT_TRUE(at("unknown:").contains("train"));
}

TEST_F(Completing, KnowsNodesPortsAndParametersOfTheDocument) {
    EXPECT_EQ(at("e:connect(\"ag"), QStringList{"agent"});
    EXPECT_TRUE(at("e:set(\"agent.").contains("hidden"));
    EXPECT_TRUE(at("s:evaluate{record = {'modulator.").contains("output"));
    EXPECT_FALSE(at("e:connect(\"agent.").contains("clip_bound")) << "parameters are no ends of wires";
    EXPECT_TRUE(at("wires = { \"task.reward -> agent.").contains("reward") ||
                !at("wires = { \"task.reward -> agent.").isEmpty());
    EXPECT_TRUE(at("e:set_parameter(\"agent\", \"clip").contains("clip_bound"));
    EXPECT_TRUE(at("e:add_node(\"new\", \"model.").contains("model.dense"));
    EXPECT_TRUE(at("raphe.load(\"cue_").contains("cue_small_A_simple"));
    EXPECT_TRUE(at("e:set_field(\"tri").contains("trials"));
    EXPECT_TRUE(at("-- e:").isEmpty());
}

} // namespace
} // namespace raphe
