// SPDX-License-Identifier: GPL-3.0-or-later
// Where a panel puts its legend and the labels of its reference lines.
#include "figure_ink_mask.h"
#include "figure_panel.h"

#include <algorithm>
#include <utility>

namespace raphe {

void FigurePanelView::putLegend(FigureLegend where) {
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
void FigurePanelView::putLegendOutside() {
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

bool FigurePanelView::placeLabelsAndLegend() {
    const bool searches = legend && !outside && description.legend == FigureLegend::automatic;
    if (labels.empty() && !searches) { // nothing needs to know where the data are
        if (!legend || outside) return false;
        putLegend(description.legend);
        return outside != nullptr;
    }
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

} // namespace raphe
