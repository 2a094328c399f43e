// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/inspector/inspector_panel.h"
#include "gui/inspector/intervention_editor.h"
#include "gui/inspector/manual_html.h"
#include "gui/inspector/number_box.h"
#include "gui/inspector/value_editor.h"
#include "window_support.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSlider>
#include <QTest>
#include <QToolButton>

#include <algorithm>

namespace raphe {
namespace {

using test::eventually;
using test::plugins;

/// An open document and the inspector that shows it.
struct Inspected {
    explicit Inspected(const std::string& name) : document(Document::open(name, plugins().registry())) {
        panel.setDocument(&document);
        panel.resize(340, 700);
        panel.show();
        settle();
    }
    void settle() {
        for (int i = 0; i < 5; ++i) QCoreApplication::processEvents();
    }
    template <class Widget = QWidget>
    Widget* field(const QString& place) {
        settle();
        auto* found = panel.findChild<Widget*>(place);
        EXPECT_TRUE(found) << place.toStdString();
        return found;
    }
    void type(const QString& place, const QString& text) {
        auto* line = field<QWidget>(place);
        auto* edit = qobject_cast<QLineEdit*>(line);
        if (!edit) edit = line->findChild<QLineEdit*>();
        edit->setFocus();
        edit->selectAll();
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
        settle();
    }
    bool says(const QString& words) {
        for (auto* label : panel.findChildren<QLabel*>())
            if (label->isVisible() && label->text().contains(words)) return true;
        return false;
    }
    const Experiment& experiment() const { return document.experiment(); }

    OpenDocument document;
    InspectorPanel panel;
};

TEST(Inspector, FieldsOfTheDocumentHaveEditorsOfTheirType) {
    Inspected inspected{"cue_small_A"};
    EXPECT_TRUE(qobject_cast<QCheckBox*>(inspected.field("streams")));
    EXPECT_TRUE(qobject_cast<QComboBox*>(inspected.field("precision")));
    EXPECT_TRUE(qobject_cast<NumberBox*>(inspected.field("iterations")));
    inspected.type("iterations", "77");
    EXPECT_EQ(inspected.experiment().iterations, 77);
    inspected.type("seed", "9007199254740993");
    EXPECT_EQ(inspected.experiment().seed, 9007199254740993u);
}

TEST(Inspector, WrongInputIsExplainedInPlaceAndNeverWritten) {
    Inspected inspected{"cue_small_A"};
    const auto text = inspected.document.document().text();
    inspected.type("trials", "-3");
    EXPECT_TRUE(inspected.says("integer from 0 to 1000000"));
    inspected.type("dt", "soon");
    EXPECT_TRUE(inspected.says("a number > 0"));
    EXPECT_EQ(inspected.document.document().text(), text);
    inspected.panel.showNodes({"agent"});
    inspected.type("nodes.agent.hidden", "0");
    EXPECT_TRUE(inspected.says("integer >= 1"));
    inspected.type("name of the node", "no name");
    EXPECT_TRUE(inspected.says("letters, digits"));
    EXPECT_EQ(inspected.document.document().text(), text);
    inspected.type("nodes.agent.hidden", "12.0");
    EXPECT_EQ(std::get<std::int64_t>(inspected.experiment().node("agent")->params.at("hidden")), 12);
}

TEST(Inspector, UndoLeavesTheFocusWhereItWas) {
    Inspected inspected{"cue_small_A"};
    inspected.panel.showNodes({"agent"});
    inspected.type("nodes.agent.hidden", "33");
    const auto focused = [&] {
        QWidget* widget = inspected.panel.focusWidget();
        while (widget && (widget->objectName().isEmpty() || widget->objectName().startsWith("qt_")))
            widget = widget->parentWidget();
        return widget ? widget->objectName() : QString{};
    };
    EXPECT_EQ(focused(), "nodes.agent.hidden");
    inspected.document.undo();
    inspected.settle();
    EXPECT_EQ(focused(), "nodes.agent.hidden");
}

TEST(Inspector, AVariantResetsToItsBase) {
    Inspected inspected{"mwg_small_nm_rnn"};
    EXPECT_TRUE(inspected.says("A variant of mwg_nm_rnn"));
    const auto base = loadExperiment("mwg_nm_rnn", plugins().registry());
    inspected.panel.showNodes({"core"});
    inspected.type("nodes.core.units", "41");
    for (auto* button : inspected.panel.findChildren<QToolButton*>())
        if (button->accessibleName() == "Reset units" && button->isVisible()) {
            QTest::mouseClick(button, Qt::LeftButton);
            break;
        }
    inspected.settle();
    EXPECT_EQ(inspected.experiment().node("core")->params.at("units"), base.node("core")->params.at("units"));
    EXPECT_FALSE(inspected.document.document().modified()) << "the variant states it no longer";
}

TEST(Inspector, ADragOfTheSliderIsOneStepToUndo) {
    Inspected inspected{"mwg_nm_rnn"};
    inspected.document.execute({{"command", "add_intervention"},
                                {"intervention", {{"port", "core.hidden"}, {"operation", "scale"}, {"value", 0.5}}}});
    const auto before = inspected.document.document().text();
    auto* slider = inspected.field<QSlider>("interventions[0].slider");
    slider->setSliderDown(true);
    for (const int at : {60, 80, 120}) slider->setSliderPosition(at);
    slider->setSliderDown(false);
    EXPECT_NEAR(inspected.experiment().interventions[0].value, 1.2, 1e-9);
    inspected.document.undo();
    EXPECT_EQ(inspected.document.document().text(), before);
    inspected.type("interventions[0].to", "4");
    inspected.type("interventions[0].from", "9");
    EXPECT_TRUE(inspected.says("no step lies in"));
    EXPECT_EQ(inspected.experiment().interventions[0].from, 0);
    auto* on = inspected.field<QCheckBox>("interventions[0].enabled");
    on->click();
    EXPECT_FALSE(inspected.experiment().interventions[0].enabled);
}

TEST(Inspector, StagesAreAddedChangedOrderedAndRemoved) {
    Inspected inspected{"mwg_nm_rnn"};
    inspected.field<QPushButton>("stages.new")->click();
    inspected.field<QPushButton>("stages.new")->click();
    ASSERT_EQ(inspected.experiment().stages.size(), 2u);
    inspected.type("stages[1].name", "fine");
    inspected.type("stages[1].iterations", "250");
    auto* schedule = inspected.field<QComboBox>("stages[1].schedules.new");
    schedule->setCurrentText("learning_rate");
    Q_EMIT schedule->activated(schedule->currentIndex());
    auto* kind = inspected.field<QComboBox>("stages[1].schedules.learning_rate.kind");
    kind->setCurrentText("cosine");
    Q_EMIT kind->activated(kind->currentIndex());
    inspected.type("stages[1].schedules.learning_rate.to", "0.0001");
    inspected.field<QCheckBox>("stages[1].keep_best")->click();
    inspected.type("stages[1].keep_best.every", "25");
    inspected.field<QCheckBox>("stages[1].reset_optimiser")->click();
    inspected.type("stages[1].frozen.new", "modulator.*");
    const auto stage = inspected.experiment().stages[1];
    EXPECT_EQ(stage.name, "fine");
    EXPECT_EQ(stage.iterations, 250);
    EXPECT_EQ(stage.schedules.at("learning_rate").kind, ScheduleKind::cosine);
    EXPECT_EQ(stage.schedules.at("learning_rate").to, 0.0001);
    EXPECT_EQ(stage.keepBest->every, 25);
    EXPECT_TRUE(stage.resetOptimiser);
    EXPECT_EQ(stage.frozen, std::vector<std::string>{"modulator.*"});
    for (auto* button : inspected.panel.findChildren<QToolButton*>())
        if (button->accessibleName() == "Earlier" && button->isEnabled()) {
            button->click();
            break;
        }
    inspected.settle();
    EXPECT_EQ(inspected.experiment().stages[0], stage);
    EXPECT_TRUE(inspected.document.document().problems().empty())
        << inspected.document.document().problems().front().text();
    while (inspected.document.document().canUndo()) inspected.document.undo();
    EXPECT_FALSE(inspected.document.document().modified());
}

TEST(Inspector, PatternsShowWhatTheyMatchAndRecordingsTheirOptions) {
    Inspected inspected{"mwg_nm_rnn"};
    inspected.type("frozen.new", "nothing.*");
    EXPECT_TRUE(inspected.experiment().frozen.empty());
    EXPECT_TRUE(inspected.says("No tensor matches"));
    inspected.type("frozen.new", "core.*factor");
    ASSERT_EQ(inspected.experiment().frozen.size(), 1u);
    EXPECT_TRUE(inspected.says("core.left_factor"));
    auto* ports = inspected.field<QComboBox>("record.new");
    Q_EMIT ports->textActivated("core.hidden");
    inspected.settle();
    inspected.type("record.core.hidden.every_steps", "5");
    const auto& recording = inspected.experiment().recordings.back();
    EXPECT_EQ(recording.port.text(), "core.hidden");
    EXPECT_EQ(recording.everySteps, 5);
}

TEST(Inspector, NothingIsWiderThanItsPanel) {
    constexpr int narrow = 294; // in a window 1280 wide, without the scroll bar
    for (const std::string name : {"cue_small_A_simple", "mwg_small_nm_rnn_staged", "nmn_biased_target_small"}) {
        Inspected inspected{name};
        const Experiment experiment = inspected.experiment();
        for (const auto& node : experiment.nodes)
            if (node.mechanism.starts_with("model.")) {
                const auto& ports = plugins().registry().find(node.mechanism, node.name).declaration.ports;
                const auto output = std::find_if(ports.begin(), ports.end(),
                                                 [](const PortInfo& port) { return port.kind == PortKind::output; });
                inspected.document.execute({{"command", "add_intervention"},
                                            {"intervention",
                                             {{"port", node.name + "." + output->name},
                                              {"operation", "clamp"},
                                              {"value", -12.3456},
                                              {"component", 0}}}});
                break;
            }
        const auto fits = [&](const std::string& page) {
            inspected.settle();
            std::string wide;
            for (const auto* part : inspected.panel.widget()->findChildren<QWidget*>())
                if (part->isVisible() && part->minimumSizeHint().width() > narrow / 2)
                    wide += std::string{"\n"} + part->metaObject()->className() + " " +
                            part->objectName().toStdString() + " " + std::to_string(part->minimumSizeHint().width());
            EXPECT_LE(inspected.panel.widget()->minimumSizeHint().width(), narrow) << name << ", " << page << wide;
        };
        fits("document");
        if (auto* stage = inspected.panel.findChild<QToolButton*>("stages[0].open")) {
            stage->click();
            fits("stage");
        }
        for (const auto& node : experiment.nodes) {
            inspected.panel.showNodes({node.name});
            fits(node.name);
        }
        inspected.panel.showWire(experiment.wires.front());
        fits("wire");
    }
}

TEST(Inspector, ANameThatCannotBeIsExplainedInAPlainSentence) {
    Inspected inspected{"cue_small_A"};
    inspected.panel.showNodes({"agent"});
    inspected.type("name of the node", "two words");
    EXPECT_TRUE(inspected.says("a node's name consists of"));
    EXPECT_FALSE(inspected.says("to: a node's"));
    EXPECT_TRUE(inspected.experiment().node("agent"));
}

TEST(Manual, SetsSymbolsAndKeepsEquationsApart) {
    EXPECT_EQ(equationHtml("x_i = R^T h"),
              "<i>x</i><sub><i>i</i></sub>&nbsp;=&nbsp;<i>R</i><sup><i>T</i></sup>&nbsp;<i>h</i>");
    EXPECT_TRUE(equationHtml("a .* tau <= 1").contains("⊙&nbsp;τ&nbsp;≤"));
    for (const auto& key : plugins().registry().keys()) {
        const auto html = manualHtml(plugins().registry().find(key, key).declaration);
        EXPECT_FALSE(html.contains("@EQ")) << key;
    }
}

} // namespace
} // namespace raphe
