// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_axes.h"

#include "figure_style.h"

#include <algorithm>
#include <cmath>

namespace raphe {
namespace {

/// Enough digits that neighbouring ticks read differently.
int precisionFor(const QCPRange& range) {
    const double size = std::max(std::abs(range.lower), std::abs(range.upper));
    const double step = range.size() / 10;
    return step > 0 && size > 0 ? std::clamp(static_cast<int>(std::ceil(std::log10(size / step))) + 1, 7, 15) : 7;
}

} // namespace

void styleAxis(QCPAxis* axis, const FigureInks& inks) {
    axis->setLayer(QStringLiteral("axes"));
    axis->grid()->setLayer(QStringLiteral("grid"));
    axis->setLabelFont(labelFont());
    axis->setTickLabelFont(tickFont());
    axis->setLabelColor(inks.text);
    axis->setTickLabelColor(inks.text);
    axis->setBasePen(QPen{inks.axis, 1});
    axis->setTickPen(QPen{inks.axis, 1});
    axis->setSubTickPen(QPen{inks.axis, 0.7});
    axis->setTickLength(0, 4);
    axis->setSubTickLength(0, 2);
    axis->setSubTicks(false);
    axis->setTickLabelPadding(4);
    axis->setLabelPadding(5);
    axis->setNumberFormat(QStringLiteral("gb"));
    axis->grid()->setPen(QPen{inks.grid, 0.8});
    axis->grid()->setZeroLinePen(Qt::NoPen);
    axis->grid()->setSubGridVisible(false);
}

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

} // namespace raphe
