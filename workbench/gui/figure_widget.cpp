// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_widget.h"

#include "figure_plottables.h"
#include "raphe/error.h"

#include <QBuffer>
#include <QImage>
#include <QPdfWriter>
#include <QSvgGenerator>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace raphe {
namespace {

constexpr int legendInset = 3; ///< keeps a legend off the axes
constexpr double unitsPerMillimetre = 96 / 25.4;
const QColor ink{0x22, 0x22, 0x22};
const QColor axisInk{0x44, 0x44, 0x44};
const QColor gridInk{0xE4, 0xE4, 0xE4};
const QColor referenceInk{0x70, 0x70, 0x70};

/// Okabe and Ito's colours, which people of all kinds of colour vision tell apart; those with most contrast first.
constexpr std::array<FigureColor, 8> palette{{{0x00, 0x72, 0xB2},
                                              {0xD5, 0x5E, 0x00},
                                              {0x00, 0x9E, 0x73},
                                              {0xCC, 0x79, 0xA7},
                                              {0xE6, 0x9F, 0x00},
                                              {0x56, 0xB4, 0xE9},
                                              {0x00, 0x00, 0x00},
                                              {0xF0, 0xE4, 0x42}}};

QString text(const std::string& utf8) { return QString::fromStdString(utf8); }

QColor toColor(const FigureColor& c) { return {c[0], c[1], c[2]}; }

/// Sizes are in units of 1/96 inch on every device, so that screen, PNG, SVG and PDF agree.
QFont font(int size, bool bold = false) {
    QFont result{QStringLiteral("DejaVu Sans")};
    result.setStyleHint(QFont::SansSerif);
    result.setPixelSize(size);
    result.setBold(bold);
    result.setHintingPreference(QFont::PreferNoHinting);
    return result;
}
QFont figureTitleFont() { return font(15, true); }
QFont panelTitleFont() { return font(12, true); }
QFont labelFont() { return font(12); }
QFont tickFont() { return font(11); }

/// The text on as many lines as the width asks for, at most `lineLimit`; the rest is cut with an ellipsis.
QString wrapped(const QString& given, const QFont& font, double width, int lineLimit) {
    const QFontMetricsF metrics{font};
    QStringList lines;
    for (const QString& paragraph : given.split('\n')) {
        QString line;
        for (const QString& word : paragraph.split(' ', Qt::SkipEmptyParts)) {
            const QString longer = line.isEmpty() ? word : line + ' ' + word;
            if (line.isEmpty() || metrics.horizontalAdvance(longer) <= width) {
                line = longer;
            } else {
                lines << line;
                line = word;
            }
        }
        lines << line;
    }
    if (lines.size() > lineLimit) {
        lines[lineLimit - 1] = QStringList{lines.mid(lineLimit - 1)}.join(' ');
        lines = lines.mid(0, lineLimit);
    }
    for (QString& line : lines) line = metrics.elidedText(line, Qt::ElideRight, width + 1);
    return lines.join('\n');
}

/// An axis label that needs more than one line ends with the unit on a line of its own.
QString axisLabel(const std::string& label, const std::string& unit, double width) {
    const QString whole = text(figureLabel(label, unit));
    if (label.empty() || unit.empty() || QFontMetricsF{labelFont()}.horizontalAdvance(whole) <= width)
        return wrapped(whole, labelFont(), width, 3);
    return wrapped(text(label), labelFont(), width, 3) + "\n(" + text(unit) + ')';
}

/// Deals out colours: series of the same group, or name, have the same colour in all panels; within a panel, different
/// groups have different colours as long as the palette lasts, and different strokes beyond.
class ColorDealer {
public:
    explicit ColorDealer(const FigureDescription& figure) {
        std::map<std::string, std::set<std::size_t>> panelsOf;
        for (std::size_t panel = 0; panel < figure.panels.size(); ++panel) {
            for (const FigureSeries& series : figure.panels[panel].series) {
                const std::string& name = key(series);
                if (name.empty()) continue;
                panelsOf[name].insert(panel);
                if (series.color) chosen_.try_emplace(name, FigureLook{toColor(*series.color)});
            }
        }
        std::vector<std::set<std::size_t>> taken(figure.panels.size()); // entries of the palette, by panel
        const auto deal = [&taken](const std::set<std::size_t>& panels) {
            std::size_t entry = 0;
            while (std::any_of(panels.begin(), panels.end(),
                               [&](std::size_t panel) { return taken[panel].count(entry) > 0; }))
                ++entry;
            for (const std::size_t panel : panels) taken[panel].insert(entry);
            const Qt::PenStyle strokes[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine};
            return FigureLook{toColor(palette[entry % palette.size()]), strokes[entry / palette.size() % 3]};
        };
        for (std::size_t panel = 0; panel < figure.panels.size(); ++panel) {
            for (const FigureSeries& series : figure.panels[panel].series) {
                const std::string& name = key(series);
                if (neutral(series) || (!name.empty() && chosen_.count(name))) continue;
                if (!name.empty())
                    chosen_[name] = deal(panelsOf[name]);
                else if (!series.color)
                    unnamed_[&series] = deal({panel});
            }
        }
    }

    FigureLook look(const FigureSeries& series) const {
        FigureLook look;
        const auto named = chosen_.find(key(series));
        const auto unnamed = unnamed_.find(&series);
        if (named != chosen_.end())
            look = named->second;
        else if (unnamed != unnamed_.end())
            look = unnamed->second;
        else
            look.color = std::holds_alternative<FigureReference>(series.data) ? referenceInk : ink;
        if (series.color) look.color = toColor(*series.color);
        std::visit(
            [&look](const auto& data) {
                if constexpr (requires { data.stroke; }) {
                    switch (data.stroke) {
                    case FigureStroke::automatic:
                        break;
                    case FigureStroke::solid:
                        look.stroke = Qt::SolidLine;
                        break;
                    case FigureStroke::dash:
                        look.stroke = Qt::DashLine;
                        break;
                    case FigureStroke::dot:
                        look.stroke = Qt::DotLine;
                        break;
                    }
                }
            },
            series.data);
        return look;
    }

    static const std::string& key(const FigureSeries& series) {
        return series.group.empty() ? series.name : series.group;
    }

private:
    /// What takes no colour of the palette of its own accord.
    static bool neutral(const FigureSeries& series) {
        if (std::holds_alternative<FigureHeatmap>(series.data)) return true;
        if (std::holds_alternative<FigureReference>(series.data)) return true;
        return std::holds_alternative<FigureRaster>(series.data) && key(series).empty();
    }

    std::map<std::string, FigureLook> chosen_;
    std::map<const FigureSeries*, FigureLook> unnamed_;
};

QCPColorGradient gradientOf(FigureColorMap map) {
    QCPColorGradient gradient;
    gradient.clearColorStops();
    const auto stops = [&gradient](std::initializer_list<const char*> colors) {
        double i = 0;
        for (const char* color : colors)
            gradient.setColorStopAt(i++ / static_cast<double>(colors.size() - 1), QColor{color});
    };
    switch (map) {
    case FigureColorMap::viridis:
        stops({"#440154", "#482475", "#414487", "#355F8D", "#2A788E", "#21918C", "#22A884", "#44BF70", "#7AD151",
               "#BDDF26", "#FDE725"});
        break;
    case FigureColorMap::diverging:
        stops({"#2166AC", "#4393C3", "#92C5DE", "#D1E5F0", "#F7F7F7", "#FDDBC7", "#F4A582", "#D6604D", "#B2182B"});
        break;
    case FigureColorMap::gray:
        stops({"#FFFFFF", "#000000"});
        break;
    }
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    return gradient;
}

void styleAxis(QCPAxis* axis) {
    axis->setLayer(QStringLiteral("axes"));
    axis->grid()->setLayer(QStringLiteral("grid"));
    axis->setLabelFont(labelFont());
    axis->setTickLabelFont(tickFont());
    axis->setLabelColor(ink);
    axis->setTickLabelColor(ink);
    axis->setBasePen(QPen{axisInk, 1});
    axis->setTickPen(QPen{axisInk, 1});
    axis->setSubTickPen(QPen{axisInk, 0.7});
    axis->setTickLength(0, 4);
    axis->setSubTickLength(0, 2);
    axis->setSubTicks(false);
    axis->setTickLabelPadding(4);
    axis->setLabelPadding(5);
    axis->setNumberFormat(QStringLiteral("gb"));
    axis->grid()->setPen(QPen{gridInk, 0.8});
    axis->grid()->setZeroLinePen(Qt::NoPen);
    axis->grid()->setSubGridVisible(false);
}

/// The range that shows all data with some air, within what the description fixes.
QCPRange rangeOf(const FigureAxis& axis, FigureExtent extent, double air) {
    if (extent.empty()) extent = axis.logarithmic ? FigureExtent{1, 10} : FigureExtent{0, 1};
    if (!axis.categories.empty()) {
        extent.include(-0.5);
        extent.include(static_cast<double>(axis.categories.size()) - 0.5);
        air = 0;
    }
    if (axis.logarithmic) {
        const double ratio = extent.high / extent.low;
        const double factor = ratio > 1 ? std::pow(ratio, air) : 2;
        extent = {extent.low / factor, extent.high * factor};
    } else {
        const double span = extent.high - extent.low;
        const double size = std::max(std::abs(extent.low), std::abs(extent.high));
        const double margin = span > 1e-9 * size ? air * span : std::max(0.1 * size, size == 0 ? 0.5 : 0.0);
        extent = {extent.low - margin, extent.high + margin};
    }
    double low = axis.min.value_or(extent.low), high = axis.max.value_or(extent.high);
    if (low >= high) { // the one bound that was given lies beyond all data
        const double span = std::max(1.0, 0.1 * std::abs(axis.min ? low : high));
        if (axis.min)
            high = axis.logarithmic ? 10 * low : low + span;
        else
            low = axis.logarithmic ? high / 10 : high - span;
    }
    return {low, high};
}

/// Enough digits that neighbouring ticks read differently.
int precisionFor(const QCPRange& range) {
    const double size = std::max(std::abs(range.lower), std::abs(range.upper));
    const double step = range.size() / 10;
    return step > 0 && size > 0 ? std::clamp(static_cast<int>(std::ceil(std::log10(size / step))) + 1, 7, 15) : 7;
}

/// Sets as many ticks as stand comfortably along `length`. Returns half the width of the label at the far end, as
/// far as it stands out beyond the axis.
double setTicks(QCPAxis* axis, double length, bool horizontal) {
    const QCPRange range = axis->range();
    const bool logarithmic = axis->scaleType() == QCPAxis::stLogarithmic;
    const bool decades = logarithmic && range.upper / range.lower >= 20;
    QSharedPointer<QCPAxisTicker> ticker;
    if (decades) {
        ticker = QSharedPointer<QCPAxisTickerLog>::create();
        axis->setNumberFormat(QStringLiteral("eb"));
        axis->setNumberPrecision(0);
    } else {
        ticker = QSharedPointer<QCPAxisTicker>::create();
        axis->setNumberFormat(QStringLiteral("gb"));
        axis->setNumberPrecision(precisionFor(range));
    }
    axis->setSubTicks(decades && range.upper / range.lower < 1e6);
    const QFontMetricsF metrics{axis->tickLabelFont()};
    int count = std::clamp(static_cast<int>(length / (horizontal ? 60 : 36)), 2, 7);
    double overhang = 0;
    for (;; --count) {
        ticker->setTickCount(count);
        QVector<double> ticks;
        QVector<QString> labels;
        ticker->generate(range, QLocale::c(), decades ? 'e' : 'g', axis->numberPrecision(), ticks, nullptr, &labels);
        double reach = -1e9; // where the label before ends
        bool collide = false;
        overhang = 0;
        for (qsizetype i = 0; i < ticks.size(); ++i) {
            if (!range.contains(ticks[i])) continue;
            const double at = logarithmic
                                  ? std::log(ticks[i] / range.lower) / std::log(range.upper / range.lower) * length
                                  : (ticks[i] - range.lower) / range.size() * length;
            // A power of ten is typeset as 10 with an exponent, about as wide as four digits.
            const double extent = !horizontal ? metrics.height()
                                  : decades   ? metrics.horizontalAdvance(QStringLiteral("10000"))
                                              : metrics.horizontalAdvance(labels[i]);
            collide = collide || at - extent / 2 < reach + (horizontal ? 8 : 2);
            reach = at + extent / 2;
            overhang = std::max(overhang, reach - length);
        }
        if (!collide || count <= 2) break;
    }
    axis->setTicker(ticker);
    return overhang;
}

/// Names instead of numbers: on one line, wrapped, or slanted, whichever fits first.
double setCategories(QCPAxis* axis, const std::vector<std::string>& names, double length, double room,
                     bool horizontal) {
    const double slot = length * 1.0 / std::max(1.0, axis->range().size());
    const QFontMetricsF metrics{axis->tickLabelFont()};
    double widestWord = 0, widest = 0;
    for (const std::string& name : names) {
        widest = std::max(widest, metrics.horizontalAdvance(text(name)));
        for (const QString& word : text(name).split(' '))
            widestWord = std::max(widestWord, metrics.horizontalAdvance(word));
    }
    const bool slanted = horizontal && widestWord > slot - 6;
    const double width = !horizontal ? room * 0.35 : slanted ? 120 : slot - 6;
    const auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    ticker->setSubTickCount(0);
    for (std::size_t i = 0; i < names.size(); ++i) {
        ticker->addTick(static_cast<double>(i), wrapped(text(names[i]), axis->tickLabelFont(), width, slanted ? 2 : 3));
    }
    axis->setTickLabelRotation(slanted ? -35 : 0);
    axis->setSubTicks(false);
    axis->grid()->setVisible(false);
    axis->setTicker(ticker);
    return 0;
}

/// The pixels that data cover, to find room for legends and labels.
class InkMask {
public:
    InkMask(QRect area, bool full)
        : area_{area}, image_{area.size().expandedTo({1, 1}), QImage::Format_ARGB32_Premultiplied} {
        image_.fill(full ? Qt::black : Qt::transparent);
    }

    void add(FigurePlottable* plottable) {
        QCPPainter painter{&image_};
        painter.translate(-area_.topLeft());
        plottable->paint(&painter);
    }

    void add(const QRectF& rect) {
        QPainter painter{&image_};
        painter.translate(-area_.topLeft());
        painter.fillRect(rect, Qt::black);
    }

    int covered(const QRectF& rect) const {
        const QRect part = rect.toAlignedRect().translated(-area_.topLeft()).intersected(image_.rect());
        int count = 0;
        for (int y = part.top(); y <= part.bottom(); ++y) {
            const auto* row = reinterpret_cast<const QRgb*>(image_.constScanLine(y));
            for (int x = part.left(); x <= part.right(); ++x) count += qAlpha(row[x]) > 0;
        }
        return count;
    }

private:
    QRect area_;
    QImage image_;
};

} // namespace

/// What stands in one cell of the grid. QCustomPlot owns it all.
struct FigureWidget::Panel {
    const FigurePanel& description;
    QCPLayoutGrid* cell = nullptr; ///< title above axes, colour bar and legend
    QCPTextElement* title = nullptr;
    QCPAxisRect* axes = nullptr;
    QCPAxis* x = nullptr;
    QCPAxis* y = nullptr;
    QCPColorScale* colorScale = nullptr;
    QCPLegend* legend = nullptr;
    QCPLayoutGrid* outside = nullptr; ///< holds the legend while it stands outside
    std::vector<FigurePlottable*> drawn;
    std::vector<FigureReferenceLabel*> labels;

    Panel(QCustomPlot* plot, QCPLayoutGrid* cell, const FigurePanel& description, const ColorDealer& dealer);

    void fitTitle() const;
    void fitText() const;
    void fitTicks();
    void putLegend(FigureLegend where);
    void putLegendOutside();
    /// Puts labels and legend where there is room; true when the legend had to go outside, so that the axes shrink.
    bool placeLabelsAndLegend();

private:
    void addSeries(const FigureSeries& series, FigureLook look, QCustomPlot* plot, int slot, int slotCount);
    void addHeatmap(const FigureHeatmap& map, QCustomPlot* plot);
    void chooseRanges();
};

FigureWidget::Panel::Panel(QCustomPlot* plot, QCPLayoutGrid* grid, const FigurePanel& panel, const ColorDealer& dealer)
    : description{panel}, cell{grid} {
    cell->setRowSpacing(0);
    cell->setColumnSpacing(6);
    cell->expandTo(3, 1); // title, legend above the axes, axes; only the axes stretch
    cell->setRowStretchFactors({0.001, 0.001, 1});
    if (!panel.title.empty()) {
        title = new QCPTextElement{plot, text(panel.title), panelTitleFont()};
        title->setTextColor(ink);
        cell->addElement(0, 0, title);
    }
    axes = new QCPAxisRect{plot};
    cell->addElement(2, 0, axes);
    axes->insetLayout()->setMargins({legendInset, legendInset, legendInset, legendInset});
    x = axes->axis(QCPAxis::atBottom);
    y = axes->axis(QCPAxis::atLeft);
    for (QCPAxis* axis : {x, y}) {
        styleAxis(axis);
        const FigureAxis& given = axis == x ? panel.x : panel.y;
        axis->setScaleType(given.logarithmic ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
        axis->setRangeReversed(given.reversed);
    }

    // Drawn from the back to the front: areas, references, bands, events, lines, points, labels of references.
    const auto layerOf = [](const FigureSeries& series) {
        constexpr int order[] = {4, 2, 5, 3, 0, 2, 1}; // by index of the variant
        return std::holds_alternative<FigureReference>(series.data) ? 1 : order[series.data.index()];
    };
    std::vector<std::pair<const FigureSeries*, FigureLook>> series;
    int barSeries = 0;
    for (const FigureSeries& one : panel.series) {
        series.emplace_back(&one, std::holds_alternative<FigureHeatmap>(one.data) ? FigureLook{} : dealer.look(one));
        barSeries += std::holds_alternative<FigureBars>(one.data);
    }
    for (auto& [one, look] : series) { // a band shows in the legend behind the line of its group
        if (!std::holds_alternative<FigureLine>(one->data)) continue;
        const std::string& key = ColorDealer::key(*one);
        look.band =
            !key.empty() && std::any_of(panel.series.begin(), panel.series.end(), [&key](const FigureSeries& other) {
                return std::holds_alternative<FigureBand>(other.data) && other.name.empty() && other.group == key;
            });
    }
    std::map<const FigureSeries*, FigurePlottable*> plottableOf;
    for (int layer = 0; layer <= 5; ++layer) {
        int barSlot = 0;
        for (const auto& [one, look] : series) {
            const int slot = std::holds_alternative<FigureBars>(one->data) ? barSlot++ : 0;
            if (layerOf(*one) != layer) continue;
            const std::size_t before = drawn.size();
            addSeries(*one, look, plot, slot, barSeries);
            if (drawn.size() > before) plottableOf[one] = drawn.back();
        }
    }
    for (const auto& [one, look] : series) {
        const auto* line = std::get_if<FigureReference>(&one->data);
        if (line && !line->label.empty()) labels.push_back(new FigureReferenceLabel{x, y, look, *line, tickFont()});
    }
    chooseRanges();

    if (panel.legend == FigureLegend::none) return;
    for (const FigureSeries& one : panel.series) {
        if (one.name.empty() || !plottableOf.count(&one)) continue;
        if (!legend) {
            legend = new QCPLegend;
            axes->insetLayout()->addElement(legend, Qt::AlignTop | Qt::AlignRight);
            legend->setFont(tickFont());
            legend->setTextColor(ink);
            legend->setBorderPen(Qt::NoPen);
            legend->setBrush(QColor{255, 255, 255, 215});
            legend->setIconSize(24, 12);
            legend->setIconTextPadding(6);
            legend->setRowSpacing(0);
            legend->setColumnSpacing(10);
            legend->setMargins({6, 4, 6, 4});
            legend->setLayer(QStringLiteral("legend"));
        }
        FigurePlottable* plottable = plottableOf[&one];
        plottable->setName(wrapped(text(one.name), tickFont(), 180, 2));
        plottable->addToLegend(legend);
        legend->itemWithPlottable(plottable)->setMargins({0, 1, 0, 2}); // room for descenders
    }
}

void FigureWidget::Panel::addSeries(const FigureSeries& series, FigureLook look, QCustomPlot* plot, int slot,
                                    int slotCount) {
    std::visit(
        [&](const auto& data) {
            using Data = std::decay_t<decltype(data)>;
            if constexpr (std::is_same_v<Data, FigureHeatmap>)
                addHeatmap(data, plot);
            else if constexpr (std::is_same_v<Data, FigureLine>)
                drawn.push_back(new FigureLinePlottable{x, y, look, data});
            else if constexpr (std::is_same_v<Data, FigureBand>)
                drawn.push_back(new FigureBandPlottable{x, y, look, data});
            else if constexpr (std::is_same_v<Data, FigurePoints>)
                drawn.push_back(new FigurePointsPlottable{x, y, look, data});
            else if constexpr (std::is_same_v<Data, FigureRaster>)
                drawn.push_back(new FigureRasterPlottable{x, y, look, data});
            else if constexpr (std::is_same_v<Data, FigureBars>)
                drawn.push_back(new FigureBarsPlottable{x, y, look, data, slot, slotCount});
            else {
                if (std::get<FigureReference>(series.data).stroke == FigureStroke::automatic)
                    look.stroke = Qt::DashLine;
                drawn.push_back(new FigureReferencePlottable{x, y, look, data});
            }
        },
        series.data);
}

void FigureWidget::Panel::addHeatmap(const FigureHeatmap& given, QCustomPlot* plot) {
    auto* map = new QCPColorMap{x, y};
    map->setInterpolate(false);
    map->setTightBoundary(false);
    const int columns = static_cast<int>(given.columns), rows = static_cast<int>(given.rows);
    map->data()->setSize(columns, rows);
    // QCustomPlot's ranges run between the centres of the outer cells; with a single cell, between its edges.
    const auto centres = [](const std::optional<std::array<double, 2>>& edges, int count) {
        const double low = edges ? (*edges)[0] : -0.5, high = edges ? (*edges)[1] : count - 0.5;
        const double half = count > 1 ? 0.5 * (high - low) / count : 0;
        return QCPRange{low + half, high - half};
    };
    map->data()->setRange(centres(given.xRange, columns), centres(given.yRange, rows));
    FigureExtent extent;
    for (int row = 0; row < rows; ++row) {
        for (int column = 0; column < columns; ++column) {
            const double value =
                given.values[static_cast<std::size_t>(row) * given.columns + static_cast<std::size_t>(column)];
            map->data()->setCell(column, row, value);
            extent.include(value);
        }
    }
    if (extent.empty()) extent = {0, 1};
    if (given.colorMap == FigureColorMap::diverging) { // its middle colour means zero
        const double reach = std::max(std::abs(extent.low), std::abs(extent.high));
        extent = {-reach, reach};
    }
    FigureAxis bounds;
    bounds.min = given.min;
    bounds.max = given.max;
    const QCPRange range = rangeOf(bounds, extent, 0);

    colorScale = new QCPColorScale{plot};
    cell->addElement(2, 1, colorScale);
    cell->setColumnStretchFactor(1, 0.001);
    colorScale->setType(QCPAxis::atRight);
    colorScale->setBarWidth(12);
    colorScale->setLabel(text(figureLabel(given.label, given.unit)));
    styleAxis(colorScale->axis());
    colorScale->setRangeDrag(false);
    colorScale->setRangeZoom(false);
    auto* group = new QCPMarginGroup{plot};
    axes->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    colorScale->setMarginGroup(QCP::msTop | QCP::msBottom, group);
    colorScale->setGradient(gradientOf(given.colorMap));
    map->setColorScale(colorScale);
    map->setGradient(gradientOf(given.colorMap));
    map->setDataRange(range);
    x->grid()->setVisible(false);
    y->grid()->setVisible(false);
}

void FigureWidget::Panel::chooseRanges() {
    FigureExtent xExtent, yExtent;
    bool spots = false, areas = false;
    for (const FigureSeries& series : description.series) {
        spots = spots || std::holds_alternative<FigurePoints>(series.data) ||
                std::holds_alternative<FigureBars>(series.data);
        const auto* map = std::get_if<FigureHeatmap>(&series.data);
        if (!map) continue;
        areas = true;
        xExtent.include(map->xRange ? (*map->xRange)[0] : -0.5);
        xExtent.include(map->xRange ? (*map->xRange)[1] : static_cast<double>(map->columns) - 0.5);
        yExtent.include(map->yRange ? (*map->yRange)[0] : -0.5);
        yExtent.include(map->yRange ? (*map->yRange)[1] : static_cast<double>(map->rows) - 0.5);
    }
    for (const FigurePlottable* plottable : drawn) plottable->extendX(xExtent);
    x->setRange(rangeOf(description.x, xExtent, spots && !areas ? 0.05 : 0));
    for (const FigurePlottable* plottable : drawn) plottable->extendY(yExtent, x->range());
    QCPRange range = rangeOf(description.y, yExtent, areas ? 0 : 0.05);
    const bool bars = std::any_of(description.series.begin(), description.series.end(), [](const FigureSeries& series) {
        return std::holds_alternative<FigureBars>(series.data);
    });
    if (bars) { // they stand on the axis
        if (yExtent.low == 0 && !description.y.min) range.lower = 0;
        if (yExtent.high == 0 && !description.y.max && range.lower < 0) range.upper = 0;
    }
    y->setRange(range);
}

void FigureWidget::Panel::fitTitle() const {
    if (!title) return;
    const QRect outer = title->outerRect(), inner = axes->rect();
    const int middle = inner.center().x();
    const int half = std::min(middle - outer.left(), outer.right() - middle);
    const QString lines = wrapped(text(description.title), panelTitleFont(), std::max(40, 2 * half), 4);
    title->setText(lines);
    // Its width follows the axes, which it stands centred above; it claims only its height.
    title->setMinimumSize(1, QFontMetrics{panelTitleFont()}.lineSpacing() * static_cast<int>(lines.count('\n') + 1));
    title->setMargins({std::max(0, middle - half - outer.left()), 4, std::max(0, outer.right() - middle - half), 2});
}

void FigureWidget::Panel::fitText() const {
    x->setLabel(axisLabel(description.x.label, description.x.unit, std::max(40, axes->width() + 16)));
    y->setLabel(axisLabel(description.y.label, description.y.unit, std::max(40, axes->height() + 30)));
    if (!colorScale) return;
    for (const FigureSeries& series : description.series) {
        if (const auto* map = std::get_if<FigureHeatmap>(&series.data)) {
            colorScale->setLabel(axisLabel(map->label, map->unit, std::max(40, axes->height())));
        }
    }
}

void FigureWidget::Panel::fitTicks() {
    const double width = std::max(1, axes->width()), height = std::max(1, axes->height());
    const double right = description.x.categories.empty()
                             ? setTicks(x, width, true)
                             : setCategories(x, description.x.categories, width, height, true);
    const double top = description.y.categories.empty()
                           ? setTicks(y, height, false)
                           : setCategories(y, description.y.categories, height, width, false);
    if (colorScale) setTicks(colorScale->axis(), height, false);
    axes->setMinimumMargins({12, std::max(8, static_cast<int>(std::ceil(top)) + 2),
                             std::max(10, static_cast<int>(std::ceil(right)) + 3), 0});
}

void FigureWidget::Panel::putLegend(FigureLegend where) {
    if (!legend) return;
    if (outside) {
        if (where == FigureLegend::outside) return;
        outside->take(legend);
        cell->remove(outside);
        outside = nullptr;
        legend->setWrap(0);
        legend->setFillOrder(QCPLayoutGrid::foRowsFirst);
        axes->insetLayout()->addElement(legend, Qt::AlignTop | Qt::AlignRight);
    }
    if (where == FigureLegend::outside) {
        putLegendOutside();
        return;
    }
    Qt::Alignment alignment = Qt::AlignTop | Qt::AlignRight;
    if (where == FigureLegend::topLeft) alignment = Qt::AlignTop | Qt::AlignLeft;
    if (where == FigureLegend::bottomLeft) alignment = Qt::AlignBottom | Qt::AlignLeft;
    if (where == FigureLegend::bottomRight) alignment = Qt::AlignBottom | Qt::AlignRight;
    axes->insetLayout()->setInsetAlignment(0, alignment);
}

/// Above the axes when it fits there on one line or would take too much of their width; else to their right.
void FigureWidget::Panel::putLegendOutside() {
    const int entryWidth = legend->minimumOuterSizeHint().width();
    const int perRow = std::max(1, axes->width() / entryWidth);
    const bool above = perRow >= legend->itemCount() || entryWidth > cell->outerRect().width() * 3 / 10;
    axes->insetLayout()->take(legend);
    outside = new QCPLayoutGrid;
    outside->setRowSpacing(0);
    outside->setColumnSpacing(0);
    auto* rest = new QCPLayoutGrid; // takes the room that the legend does not need
    rest->setMaximumSize(QWIDGETSIZE_MAX - 1, QWIDGETSIZE_MAX - 1);
    if (above) {
        cell->addElement(1, 0, outside);
        outside->addElement(0, 0, legend);
        outside->addElement(0, 1, rest);
        outside->setColumnStretchFactors({0.001, 1});
        outside->setMargins({std::max(0, axes->left() - cell->outerRect().left()), 0, 0, 2});
        legend->setWrap(perRow);
        legend->setFillOrder(QCPLayoutGrid::foColumnsFirst);
    } else {
        const int column = colorScale ? 2 : 1;
        cell->addElement(2, column, outside);
        cell->setColumnStretchFactor(column, 0.001);
        outside->addElement(0, 0, legend);
        outside->addElement(1, 0, rest);
        outside->setRowStretchFactors({0.001, 1});
        outside->setMargins({0, 6, 0, 0});
    }
}

bool FigureWidget::Panel::placeLabelsAndLegend() {
    const QRect area = axes->rect();
    InkMask mask{area, colorScale != nullptr};
    for (FigurePlottable* plottable : drawn) mask.add(plottable);
    for (FigureReferenceLabel* label : labels) {
        const std::vector<QRectF> candidates = label->candidates();
        const auto best =
            std::min_element(candidates.begin(), candidates.end(),
                             [&mask](const QRectF& a, const QRectF& b) { return mask.covered(a) < mask.covered(b); });
        if (best == candidates.end()) {
            label->hide();
            continue;
        }
        label->place(*best);
        mask.add(*best);
    }
    if (!legend || outside) return false;
    if (description.legend != FigureLegend::automatic) {
        putLegend(description.legend);
        return outside != nullptr;
    }
    const QSize size = legend->minimumOuterSizeHint();
    const QRect room = area.adjusted(legendInset, legendInset, -legendInset, -legendInset);
    if (size.width() <= room.width() && size.height() <= room.height()) {
        const int right = room.right() + 1 - size.width(), bottom = room.bottom() + 1 - size.height();
        const std::pair<FigureLegend, QPoint> corners[] = {{FigureLegend::topRight, {right, room.top()}},
                                                           {FigureLegend::topLeft, room.topLeft()},
                                                           {FigureLegend::bottomRight, {right, bottom}},
                                                           {FigureLegend::bottomLeft, {room.left(), bottom}}};
        for (const auto& [corner, at] : corners) {
            if (mask.covered(QRectF{QRect{at, size}}.adjusted(-2, -2, 2, 2)) == 0) {
                putLegend(corner);
                return false;
            }
        }
    }
    putLegend(FigureLegend::outside);
    return true;
}

// ------------------------------------------------------------------------------------------------------------------------

FigureWidget::FigureWidget(QWidget* parent) : QWidget{parent}, plot_{new QCustomPlot}, redraw_{new QTimer{this}} {
    auto* layout = new QVBoxLayout{this};
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(plot_);
    plot_->setLocale(QLocale::c());
    plot_->setAutoAddPlottableToLegend(false);
    plot_->setAntialiasedElements(QCP::aeAll);
    plot_->setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    plot_->plotLayout()->clear();
    redraw_->setSingleShot(true);
    redraw_->setInterval(1000 / 30);
    connect(redraw_, &QTimer::timeout, this, [this] {
        rebuildIfNeeded();
        plot_->replot(QCustomPlot::rpQueuedReplot);
    });
    connect(plot_, &QCustomPlot::beforeReplot, this, [this] {
        const QSize size = plot_->viewport().size();
        if (size != arranged_) {
            arrange(size);
        } else {
            for (const auto& panel : panels_) panel->fitTicks(); // the user may have zoomed
        }
    });
}

FigureWidget::~FigureWidget() = default;

void FigureWidget::setFigure(FigureDescription figure) {
    // What is drawn borrows from the figure, so it goes first.
    panels_.clear();
    title_ = nullptr;
    plot_->clearPlottables();
    plot_->plotLayout()->clear();
    figure_ = std::move(figure);
    stale_ = true;
    if (!redraw_->isActive()) redraw_->start();
}

void FigureWidget::rebuildIfNeeded() {
    if (!std::exchange(stale_, false)) return;
    QCPLayoutGrid* page = plot_->plotLayout();
    page->setRowSpacing(0);
    if (!figure_.title.empty()) {
        title_ = new QCPTextElement{plot_, text(figure_.title), figureTitleFont()};
        title_->setTextColor(ink);
        title_->setMargins({8, 6, 8, 4});
        page->addElement(0, 0, title_);
    }
    auto* grid = new QCPLayoutGrid;
    page->addElement(page->rowCount(), 0, grid);
    if (title_) page->setRowStretchFactor(0, 0.001);
    grid->setMargins({4, 4, 6, 4});
    grid->setRowSpacing(10);
    grid->setColumnSpacing(12);

    const ColorDealer dealer{figure_};
    std::map<std::size_t, QCPMarginGroup*> left, bottom;
    for (std::size_t i = 0; i < figure_.panels.size(); ++i) {
        const std::size_t row = i / figure_.columns, column = i % figure_.columns;
        auto* cell = new QCPLayoutGrid;
        grid->addElement(static_cast<int>(row), static_cast<int>(column), cell);
        panels_.push_back(std::make_unique<Panel>(plot_, cell, figure_.panels[i], dealer));
        QCPAxisRect* axes = panels_.back()->axes;
        // Axes of one column start at the same x, those of one row end at the same y.
        if (figure_.rows > 1) {
            QCPMarginGroup*& group = left[column];
            if (!group) group = new QCPMarginGroup{plot_};
            axes->setMarginGroup(QCP::msLeft, group);
        }
        if (figure_.columns > 1 && !panels_.back()->colorScale) {
            QCPMarginGroup*& group = bottom[row];
            if (!group) group = new QCPMarginGroup{plot_};
            axes->setMarginGroup(QCP::msBottom, group);
        }
    }
    arranged_ = {};
}

void FigureWidget::updateLayout() {
    plot_->plotLayout()->update(QCPLayoutElement::upPreparation);
    plot_->plotLayout()->update(QCPLayoutElement::upMargins);
    plot_->plotLayout()->update(QCPLayoutElement::upLayout);
}

void FigureWidget::arrange(QSize size) {
    arranged_ = size;
    if (title_) title_->setText(wrapped(text(figure_.title), figureTitleFont(), std::max(60, size.width() - 24), 3));
    for (const auto& panel : panels_) {
        // Until the axes have a size, texts must not claim one.
        if (panel->title) {
            panel->title->setText(QStringLiteral(" "));
            panel->title->setMargins({0, 4, 0, 2});
        }
        panel->putLegend(FigureLegend::topRight);
    }
    const auto fit = [this] {
        for (int pass = 0; pass < 3; ++pass) { // ticks depend on the room that labels leave, and the other way round
            updateLayout();
            for (const auto& panel : panels_) {
                panel->fitTicks();
                panel->fitText();
            }
            updateLayout();
            for (const auto& panel : panels_) panel->fitTitle();
        }
        updateLayout();
    };
    fit();
    bool moved = false;
    for (const auto& panel : panels_) moved = panel->placeLabelsAndLegend() || moved;
    if (moved) {
        fit();
        for (const auto& panel : panels_) panel->placeLabelsAndLegend();
    }
    updateLayout();
}

QSizeF FigureWidget::naturalSize(const FigureDescription& figure) {
    const auto columns = static_cast<double>(figure.columns), rows = static_cast<double>(figure.rows);
    return {columns == 1 ? 130 : 90 * columns,
            (rows == 1 && columns == 1 ? 85 : 70 * rows) + (figure.title.empty() ? 0 : 8)};
}

FigurePanelGeometry FigureWidget::panelGeometry(std::size_t index) const {
    const Panel& panel = *panels_.at(index);
    return {QRectF{panel.axes->rect()}, panel.legend ? QRectF{panel.legend->outerRect()} : QRectF{}};
}

QSize FigureWidget::beginExport(QSizeF millimetres) {
    rebuildIfNeeded();
    const QSize size = (millimetres * unitsPerMillimetre).toSize().expandedTo({1, 1});
    plot_->setViewport(QRect{QPoint{0, 0}, size});
    arrange(size);
    return size;
}

void FigureWidget::endExport() {
    plot_->setViewport(plot_->rect());
    arranged_ = {};
    if (isVisible()) plot_->replot(QCustomPlot::rpQueuedReplot);
}

QByteArray FigureWidget::svg(QSizeF millimetres) {
    const QSize size = beginExport(millimetres);
    QByteArray bytes;
    QBuffer buffer{&bytes};
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(96);
    generator.setSize(size);
    generator.setViewBox(QRect{QPoint{0, 0}, size});
    generator.setTitle(
        text(figure_.title.empty() && !figure_.panels.empty() ? figure_.panels[0].title : figure_.title));
    generator.setDescription(QStringLiteral("Drawn by raphe-figure"));
    QCPPainter painter;
    painter.begin(&generator);
    plot_->toPainter(&painter, size.width(), size.height());
    painter.end();
    endExport();
    return bytes;
}

QByteArray FigureWidget::png(QSizeF millimetres, int dotsPerInch) {
    const double scale = dotsPerInch / 96.0;
    const QSizeF pixels = millimetres * unitsPerMillimetre * scale;
    if (pixels.width() * pixels.height() > 2e8 || pixels.width() > 30000 || pixels.height() > 30000) {
        throw Error("a PNG of " + std::to_string(static_cast<long long>(pixels.width())) + " x " +
                    std::to_string(static_cast<long long>(pixels.height())) +
                    " pixels is too large; choose a smaller size or fewer dots per inch");
    }
    const QSize size = beginExport(millimetres);
    QImage image = plot_->toPixmap(size.width(), size.height(), scale).toImage();
    endExport();
    image.setDotsPerMeterX(static_cast<int>(std::lround(dotsPerInch / 0.0254)));
    image.setDotsPerMeterY(image.dotsPerMeterX());
    QByteArray bytes;
    QBuffer buffer{&bytes};
    buffer.open(QIODevice::WriteOnly);
    image.convertToFormat(QImage::Format_RGB32).save(&buffer, "PNG");
    return bytes;
}

QByteArray FigureWidget::pdf(QSizeF millimetres) {
    constexpr int resolution = 1200;
    const QSize size = beginExport(millimetres);
    QByteArray bytes;
    QBuffer buffer{&bytes};
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer{&buffer};
    writer.setTitle(text(figure_.title));
    writer.setCreator(QStringLiteral("raphe-figure"));
    writer.setResolution(resolution);
    writer.setPageSize(QPageSize{QSizeF(size) / unitsPerMillimetre, QPageSize::Millimeter});
    writer.setPageMargins(QMarginsF{});
    QCPPainter painter;
    painter.begin(&writer);
    painter.scale(resolution / 96.0, resolution / 96.0);
    plot_->toPainter(&painter, size.width(), size.height());
    painter.end();
    endExport();
    return bytes;
}

} // namespace raphe
