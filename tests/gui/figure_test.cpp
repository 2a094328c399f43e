// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_description.h"
#include "figure_widget.h"
#include "raphe/error.h"

#include <QApplication>
#include <QImage>
#include <QPainter>
#include <QRegularExpression>
#include <QSvgRenderer>

#include <chrono>
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace {

using namespace raphe;
using Json = nlohmann::ordered_json;

const QSizeF paper{120, 80};

Json figureOf(const Json& series, const Json& panel = Json::object()) {
    Json one = panel;
    one["series"] = series;
    return {{"raphe_figure", 1}, {"panels", Json::array({one})}};
}

/// Parsed from text, as a file would be.
FigureDescription parsed(const Json& document) { return parseFigure(document.dump(), "test.json"); }

std::string problem(const std::string& document) {
    try {
        parseFigure(document, "test.json");
    } catch (const Error& error) {
        return error.what();
    }
    return "no error";
}
std::string problem(const Json& document) { return problem(document.dump()); }

QImage drawnPng(FigureWidget& widget, int dpi = 96) { return QImage::fromData(widget.png(paper, dpi), "PNG"); }

QImage drawnSvg(FigureWidget& widget) {
    QSvgRenderer renderer{widget.svg(paper)};
    QImage image{renderer.defaultSize(), QImage::Format_RGB32};
    image.fill(Qt::white);
    QPainter painter{&image};
    renderer.render(&painter);
    return image;
}

/// Pixels in the rectangle that are neither white nor the light grey of the grid.
int inkIn(const QImage& image, const QRectF& rect) {
    int count = 0;
    const QRect part = rect.toRect().intersected(image.rect());
    for (int y = part.top(); y <= part.bottom(); ++y) {
        for (int x = part.left(); x <= part.right(); ++x) {
            const QColor c = image.pixelColor(x, y);
            count += std::min({c.red(), c.green(), c.blue()}) < 215;
        }
    }
    return count;
}

int pixelsOf(const QImage& image, QColor wanted) {
    int count = 0;
    for (int y = 0; y < image.height(); ++y) {
        for (int x = 0; x < image.width(); ++x) count += image.pixelColor(x, y) == wanted;
    }
    return count;
}

struct Kind {
    const char* name;
    Json series;
};

std::vector<Kind> everyKind() {
    const Json x = {1, 2, 3, 4}, y = {1, 3, 2, 4};
    return {
        {"line", {{"kind", "line"}, {"x", x}, {"y", {1, nullptr, 2, 4}}, {"markers", true}}},
        {"band", {{"kind", "band"}, {"x", x}, {"lower", {0, 1, 1, 2}}, {"upper", {2, 4, 3, 5}}}},
        {"points",
         {{"kind", "points"}, {"x", x}, {"y", y}, {"lower", {0, 2, 1, 3}}, {"upper", {2, 4, 3, 5}}, {"jitter", 0.1}}},
        {"raster", {{"kind", "raster"}, {"x", {1, 5, 9, 12}}, {"y", {0, 0, 1, 2}}}},
        {"heatmap", {{"kind", "heatmap"}, {"values", {{1, 2, 3}, {4, nullptr, 6}}}, {"label", "Rate"}, {"unit", "Hz"}}},
        {"hline", {{"kind", "hline"}, {"at", 2}, {"label", "chance"}, {"width", 3}}},
        {"vline", {{"kind", "vline"}, {"at", 2}, {"label", "reward"}, {"width", 3}}},
        {"bars", {{"kind", "bars"}, {"x", x}, {"y", {1, -3, 2, nullptr}}}},
        {"spans", {{"kind", "spans"}, {"x", {0, 2}}, {"to", {1, 3}}, {"y", {0, 1}}, {"labels", {"A", "B"}}}},
    };
}

TEST(FigureRendering, DrawsEveryKindIntoThePanelOfSvgPngAndPdf) {
    for (const Kind& kind : everyKind()) {
        SCOPED_TRACE(kind.name);
        FigureWidget widget;
        widget.setFigure(parsed(figureOf(Json::array({kind.series}))));
        const QImage png = drawnPng(widget);
        ASSERT_FALSE(png.isNull());
        const QRectF inside = widget.panelGeometry(0).axes.adjusted(3, 3, -3, -3);
        EXPECT_GT(inkIn(png, inside), 20);
        EXPECT_GT(inkIn(drawnSvg(widget), inside), 20);
        EXPECT_TRUE(widget.pdf(paper).startsWith("%PDF"));
    }
}

TEST(FigureDescriptions, SpansEndAfterTheyBeginAndHaveAsManyLabels) {
    Json span = {{"kind", "spans"}, {"x", {0, 2}}, {"to", {1, 1}}, {"y", {0, 0}}};
    EXPECT_NE(problem(figureOf(Json::array({span}))).find("panels[0].series[0].to[1]"), std::string::npos);
    span["to"] = {1, 3};
    EXPECT_EQ(problem(figureOf(Json::array({span}))), "no error");
    span["labels"] = {"A"};
    EXPECT_NE(problem(figureOf(Json::array({span}))).find("expected 2 texts, got 1"), std::string::npos);
}

TEST(FigureRendering, RowsAreAsHighAsTheLayoutSays) {
    const Json panel = {{"series", Json::array()}};
    Json document = {{"raphe_figure", 1},
                     {"panels", Json::array({panel, panel})},
                     {"layout", {{"rows", 2}, {"columns", 1}, {"row_heights", {1, 3}}}}};
    FigureWidget widget;
    widget.setFigure(parsed(document));
    widget.svg({120, 200});
    const double first = widget.panelGeometry(0).axes.height(), second = widget.panelGeometry(1).axes.height();
    EXPECT_NEAR(second / first, 3, 0.7);
    document["layout"]["row_heights"] = {1};
    EXPECT_NE(problem(document).find("layout.row_heights"), std::string::npos);
}

TEST(FigureRendering, PanelsOverTheSameTimeEndAtTheSameX) {
    const Json time = {{"min", 0}, {"max", 3}};
    const Json trace = {{"x", time}, {"series", Json::array({{{"kind", "line"}, {"x", {0, 3}}, {"y", {0, 1}}}})}};
    const Json map = {{"x", time},
                      {"series", Json::array({{{"kind", "heatmap"}, {"values", {{1, 2, 3}}}, {"x_range", {0, 3}}}})}};
    FigureWidget widget;
    widget.setFigure(parsed({{"raphe_figure", 1},
                             {"panels", Json::array({trace, map, trace})},
                             {"layout", {{"rows", 3}, {"columns", 1}}}}));
    widget.svg({120, 200});
    const QRectF above = widget.panelGeometry(0).axes, middle = widget.panelGeometry(1).axes;
    EXPECT_NEAR(above.right(), middle.right(), 1) << "the colour bar of one makes room beside all";
    EXPECT_NEAR(above.left(), middle.left(), 1);
    EXPECT_NEAR(widget.panelGeometry(2).axes.right(), middle.right(), 1);
}

TEST(FigureRendering, DrawsNothingIntoAnEmptyPanel) {
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array())));
    const QImage png = drawnPng(widget);
    EXPECT_EQ(inkIn(png, widget.panelGeometry(0).axes.adjusted(3, 3, -3, -3)), 0);
}

TEST(FigureRendering, PngHasTheSizeOnPaperThatWasAskedFor) {
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array())));
    const QImage png = drawnPng(widget, 254);
    EXPECT_NEAR(png.width(), 1200, 3);
    EXPECT_NEAR(png.height(), 800, 3);
    EXPECT_NEAR(png.dotsPerMeterX(), 10000, 1);
}

TEST(FigureRendering, SvgHoldsItsTextsAsText) {
    Json document = figureOf(
        Json::array({{{"kind", "line"}, {"name", "simple rule"}, {"x", {0, 1}}, {"y", {0, 1}}}}),
        {{"title", "Panel"}, {"x", {{"label", "Iteration"}}}, {"y", {{"label", "Reward"}, {"unit", "reward units"}}}});
    document["title"] = "Cue and reward";
    FigureWidget widget;
    widget.setFigure(parsed(document));
    const QString svg = QString::fromUtf8(widget.svg(paper));
    for (const char* text : {">simple rule<", ">Panel<", ">Iteration<", ">Reward (reward units)<", ">Cue and reward<",
                             "<title>Cue and reward</title>"}) {
        EXPECT_TRUE(svg.contains(text)) << text;
    }
    EXPECT_TRUE(svg.contains("viewBox=\"0 0 454 302\"")) << svg.left(300).toStdString();
}

TEST(FigureRendering, IsTheSameTwice) {
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array({everyKind()[0].series, everyKind()[2].series}))));
    EXPECT_EQ(widget.svg(paper), widget.svg(paper));
    EXPECT_EQ(widget.png(paper, 100), widget.png(paper, 100));
}

TEST(FigureRendering, RefusesAPngThatWouldNotFitIntoMemory) {
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array())));
    EXPECT_THROW(widget.png(QSizeF{2000, 2000}, 2400), Error);
}

TEST(FigureColors, LineAndBandOfAGroupShareAColor) {
    FigureWidget widget;
    widget.setFigure(parsed(
        figureOf(Json::array({{{"kind", "line"}, {"name", "other"}, {"x", {0, 1}}, {"y", {4, 4}}},
                              {{"kind", "band"}, {"group", "a"}, {"x", {0, 1}}, {"lower", {0, 0}}, {"upper", {2, 2}}},
                              {{"kind", "line"}, {"group", "a"}, {"x", {0, 1}}, {"y", {1, 1}}}}),
                 {{"legend", "none"}})));
    const QString svg = QString::fromUtf8(widget.svg(paper));
    EXPECT_TRUE(svg.contains(QRegularExpression{"fill=\"#d55e00\" fill-opacity=\"0\\.2"}));
    EXPECT_TRUE(svg.contains(QRegularExpression{"stroke=\"#d55e00\" stroke-opacity=\"1\""}));
    EXPECT_TRUE(svg.contains("stroke=\"#0072b2\""));
    EXPECT_GT(pixelsOf(drawnPng(widget, 192), QColor{"#d55e00"}), 100);
}

TEST(FigureColors, ANameKeepsItsColorInEveryPanel) {
    const auto line = [](const char* name) {
        return Json{{"kind", "line"}, {"name", name}, {"x", {0, 1}}, {"y", {0, 1}}};
    };
    Json document = figureOf(Json::array({line("a"), line("b")}), {{"legend", "none"}});
    document["panels"].push_back({{"legend", "none"}, {"series", Json::array({line("b")})}});
    FigureWidget widget;
    widget.setFigure(parsed(document));
    const QImage png = drawnPng(widget, 192);
    const QRectF second = widget.panelGeometry(1).axes;
    const QImage part = png.copy(QRectF{second.topLeft() * 2, second.size() * 2}.toRect());
    EXPECT_GT(pixelsOf(part, QColor{"#d55e00"}), 20);
    EXPECT_EQ(pixelsOf(part, QColor{"#0072b2"}), 0);
}

TEST(FigureLegends, StandInTheCornerWithoutData) {
    // Data in all corners but the one at the bottom right.
    const Json line = {{"kind", "line"}, {"name", "curve"}, {"x", {0, 0, 1, 1}}, {"y", {0, 1, 1, 0.75}}};
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array({line}))));
    widget.svg(paper);
    const FigurePanelGeometry geometry = widget.panelGeometry(0);
    EXPECT_TRUE(geometry.axes.contains(geometry.legend));
    EXPECT_GT(geometry.legend.center().x(), geometry.axes.center().x());
    EXPECT_GT(geometry.legend.center().y(), geometry.axes.center().y());

    widget.setFigure(parsed(figureOf(Json::array({line}), {{"legend", "none"}})));
    EXPECT_EQ(inkIn(drawnPng(widget), geometry.legend), 0);
    EXPECT_TRUE(widget.panelGeometry(0).legend.isEmpty());
}

TEST(FigureLegends, GoOutsideWhenEveryCornerIsTaken) {
    Json x = Json::array(), y = Json::array();
    for (int i = 0; i < 2000; ++i) {
        x.push_back(i);
        y.push_back(i % 2);
    }
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array({{{"kind", "line"}, {"name", "dense"}, {"x", x}, {"y", y}}}))));
    widget.svg(paper);
    const FigurePanelGeometry geometry = widget.panelGeometry(0);
    EXPECT_FALSE(geometry.legend.isEmpty());
    EXPECT_FALSE(geometry.axes.intersects(geometry.legend));
}

TEST(FigureLegends, StandWhereTheDescriptionPutsThem) {
    const Json line = {{"kind", "line"}, {"name", "curve"}, {"x", {0, 1}}, {"y", {0, 1}}};
    FigureWidget widget;
    widget.setFigure(parsed(figureOf(Json::array({line}), {{"legend", "bottom-left"}})));
    widget.svg(paper);
    const FigurePanelGeometry geometry = widget.panelGeometry(0);
    EXPECT_LT(geometry.legend.center().x(), geometry.axes.center().x());
    EXPECT_GT(geometry.legend.center().y(), geometry.axes.center().y());
}

TEST(FigureDecimation, AMillionPointsBecomeTwoPerColumn) {
    FigureLine line;
    for (int i = 0; i < 1'000'000; ++i) {
        line.x.push_back(i);
        line.y.push_back(std::sin(i * 1e-5) + (i % 7) * 0.01);
    }
    line.y[500'000] = 50; // a spike of one point must survive
    FigureDescription figure;
    figure.panels.emplace_back().series.emplace_back().data = line;
    FigureWidget widget;
    widget.setFigure(figure);
    const auto start = std::chrono::steady_clock::now();
    const QByteArray svg = widget.svg(paper);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_LT(elapsed.count(), 5.0);
    EXPECT_LT(svg.size(), 80'000);

    widget.setFigure(figure);
    const QImage png = drawnPng(widget);
    const QRectF axes = widget.panelGeometry(0).axes;
    EXPECT_GT(inkIn(png, QRectF{axes.center().x() - 4, axes.top() + axes.height() * 0.2, 8, axes.height() * 0.5}), 30);
}

TEST(FigureClipping, KeepsTheSvgInsideTheAxes) {
    FigureWidget widget;
    widget.setFigure(
        parsed(figureOf(Json::array({{{"kind", "line"}, {"x", {-10, 0.5, 20}}, {"y", {-100, 100, -100}}, {"width", 2}},
                                     {{"kind", "band"}, {"x", {-5, 5}}, {"lower", {-9, -9}}, {"upper", {9, 9}}}}),
                        {{"x", {{"min", 0}, {"max", 1}}}, {"y", {{"min", 0}, {"max", 1}}}})));
    const QImage image = drawnSvg(widget);
    const QRectF axes = widget.panelGeometry(0).axes;
    EXPECT_EQ(inkIn(image, QRectF{axes.left(), 0, axes.width(), axes.top() - 7}), 0);
    EXPECT_EQ(inkIn(image, QRectF{axes.right() + 7, 0, 100, axes.bottom() - 6}), 0);
}

TEST(FigureWidgetOnScreen, ShowsAFigureAndReplacesIt) {
    FigureWidget widget;
    widget.resize(400, 300);
    widget.setFigure(parsed(figureOf(Json::array({everyKind()[0].series}))));
    widget.show();
    widget.setFigure(
        parsed(figureOf(Json::array({everyKind()[4].series, everyKind()[5].series}), {{"title", "Second"}})));
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
         std::chrono::steady_clock::now() < end;) {
        QApplication::processEvents();
    }
    const QImage shown = widget.grab().toImage();
    EXPECT_GT(inkIn(shown, widget.panelGeometry(0).axes), 100);
}

TEST(FigureParsing, JoinsLabelAndUnit) {
    EXPECT_EQ(figureLabel("Reward per episode", "reward units"), "Reward per episode (reward units)");
    EXPECT_EQ(figureLabel("Iteration", ""), "Iteration");
    EXPECT_EQ(figureLabel("", "ms"), "(ms)");
}

TEST(FigureParsing, ReadsNullAsAGap) {
    const FigureDescription figure = parsed(figureOf(Json::array({everyKind()[0].series})));
    const auto& line = std::get<FigureLine>(figure.panels[0].series[0].data);
    EXPECT_TRUE(std::isnan(line.y[1]));
    EXPECT_EQ(line.y[3], 4);
}

TEST(FigureParsing, ArrangesPanelsInAGrid) {
    Json document = figureOf(Json::array());
    for (int i = 0; i < 4; ++i) document["panels"].push_back(document["panels"][0]);
    EXPECT_EQ(parsed(document).columns, 3u);
    EXPECT_EQ(parsed(document).rows, 2u);
    document["layout"] = {{"rows", 5}};
    EXPECT_EQ(parsed(document).columns, 1u);
    document["layout"] = {{"rows", 2}, {"columns", 2}};
    EXPECT_EQ(problem(document), "layout: a grid of 2 x 2 is too small for 5 panels");
}

TEST(FigureParsing, SaysWhatIsWrongAndWhere) {
    const auto one = [](Json series) { return problem(figureOf(Json::array({std::move(series)}))); };
    const std::string at = "panels[0].series[0]";
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1, 2, 3}}, {"y", {1, 2}}}), at + ".y: expected 3 numbers, got 2");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1, "two"}}, {"y", {1, 2}}}), at + ".x[1]: expected a number, got \"two\"");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1, nullptr}}, {"y", {1, 2}}}), at + ".x[1]: expected a number, got null");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1, 2}}, {"y", {1, true}}}),
              at + ".y[1]: expected a number or null, got true");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1}}}), at + ".y: is missing");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1}}, {"y", {1}}, {"colour", "auto"}}),
              at + ".colour: unknown key; did you mean \"color\"?");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1}}, {"y", {1}}, {"color", "red"}}),
              at + ".color: expected \"auto\" or \"#rrggbb\", got \"red\"");
    EXPECT_EQ(one({{"kind", "line"}, {"x", {1}}, {"y", {1}}, {"width", -1}}),
              at + ".width: expected a number between 0.1 and 20.0, got -1");
    EXPECT_EQ(one({{"kind", "lines"}}),
              at + ".kind: expected one of \"line\", \"band\", \"points\", \"raster\", \"heatmap\", \"hline\", "
                   "\"vline\", \"bars\", \"spans\", got \"lines\"; did you mean \"line\"?");
    EXPECT_EQ(one({{"kind", "band"}, {"x", {1}}, {"lower", {2}}, {"upper", {1}}}),
              at + ".upper[0]: expected at least the lower end 2.0, got 1.0");
    EXPECT_EQ(one({{"kind", "heatmap"}, {"values", {{1, 2}, {3}}}}), at + ".values[1]: expected 2 numbers, got 1");
    EXPECT_EQ(one({{"kind", "points"}, {"x", {1}}, {"y", {1}}, {"lower", {0}}}),
              at + ".upper: is missing; whiskers need both ends");
    EXPECT_EQ(one({{"kind", "hline"}, {"at", 1e201}}),
              at + ".at: expected a number between -1e200 and 1e200, got 1e+201");

    const Json line = {{"kind", "line"}, {"x", {1, 2}}, {"y", {0, 2}}};
    EXPECT_EQ(problem(figureOf(Json::array({line}), {{"y", {{"scale", "log"}}}})),
              at + ".y[0]: a log axis needs values above 0, got 0.0");
    EXPECT_EQ(problem(figureOf(Json::array({line}), {{"x", {{"min", 2}, {"max", 1}}}})),
              "panels[0].x: expected low < high, got 2.0 and 1.0");
    EXPECT_EQ(problem(figureOf(3)), "panels[0].series: expected a list, got 3");
    EXPECT_EQ(problem(Json{{"raphe_figure", 2}}), "raphe_figure: expected version 1, got 2");
    EXPECT_EQ(problem(Json{{"raphe_figure", 1}, {"panels", Json::array()}}),
              "panels: expected a list of at least one panel, got an empty list");
    EXPECT_EQ(problem(Json::array()), "figure: expected an object, got an array");
}

TEST(FigureParsing, RefusesWhatIsNotJson) {
    EXPECT_NE(problem(std::string{"{\"raphe_figure\": 1, \"panels\": [NaN]}"}), "no error");
    EXPECT_NE(problem(std::string{"{"}), "no error");
    EXPECT_NE(problem(std::string{}), "no error");
}

TEST(FigureParsing, RefusesMoreThanItsLimits) {
    Json series = Json::array();
    for (std::size_t i = 0; i <= FigureLimits::seriesPerPanel; ++i) series.push_back({{"kind", "hline"}, {"at", 1}});
    EXPECT_EQ(problem(figureOf(series)), "panels[0].series: expected at most 500 series, got 501");
    EXPECT_EQ(problem(figureOf(Json::array(), {{"title", std::string(1001, 'a')}})),
              "panels[0].title: expected at most 1000 bytes of text, got 1001");
}

} // namespace

int main(int argc, char** argv) {
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application{argc, argv};
    ::testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
