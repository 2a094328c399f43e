// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_widget.h"

#include "figure_colors.h"
#include "figure_panel.h"
#include "figure_style.h"
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
#include <numeric>
#include <utility>

namespace raphe {
namespace {

constexpr double unitsPerMillimetre = 96 / 25.4;

} // namespace

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
    connect(plot_, &QCustomPlot::afterReplot, this, &FigureWidget::drawn);
}

FigureWidget::~FigureWidget() = default;

/// What is drawn borrows from the figure, so it goes first.
void FigureWidget::clear() {
    panels_.clear();
    title_ = nullptr;
    plot_->clearPlottables();
    plot_->plotLayout()->clear();
    stale_ = true;
    if (!redraw_->isActive()) redraw_->start();
}

void FigureWidget::setFigure(FigureDescription figure) {
    clear();
    figure_ = std::move(figure);
}

void FigureWidget::setDark(bool dark) {
    if (dark == dark_) return;
    dark_ = dark;
    plot_->setBackground(QBrush{(dark ? darkInks : paperInks).paper});
    clear();
}

std::unique_ptr<FigureWidget> FigureWidget::onPaper() const {
    auto paper = std::make_unique<FigureWidget>();
    paper->setFigure(figure_);
    return paper;
}

void FigureWidget::rebuildIfNeeded() {
    if (!std::exchange(stale_, false)) return;
    const FigureInks& inks = dark_ ? darkInks : paperInks;
    QCPLayoutGrid* page = plot_->plotLayout();
    page->setRowSpacing(0);
    if (!figure_.title.empty()) {
        title_ = new QCPTextElement{plot_, text(figure_.title), figureTitleFont()};
        title_->setTextColor(inks.text);
        title_->setMargins({8, 6, 8, 4});
        page->addElement(0, 0, title_);
    }
    auto* grid = new QCPLayoutGrid;
    page->addElement(page->rowCount(), 0, grid);
    if (title_) page->setRowStretchFactor(0, 0.001);
    grid->setMargins({4, 4, 6, 4});
    grid->setRowSpacing(10);
    grid->setColumnSpacing(12);

    const ColorDealer dealer{figure_, inks};
    std::map<std::size_t, QCPMarginGroup*> left, bottom;
    for (std::size_t i = 0; i < figure_.panels.size(); ++i) {
        const std::size_t row = i / figure_.columns, column = i % figure_.columns;
        auto* cell = new QCPLayoutGrid;
        grid->addElement(static_cast<int>(row), static_cast<int>(column), cell);
        panels_.push_back(std::make_unique<FigurePanelView>(plot_, cell, figure_.panels[i], dealer));
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
    for (std::size_t row = 0; row < figure_.rowHeights.size() && static_cast<int>(row) < grid->rowCount(); ++row)
        grid->setRowStretchFactor(static_cast<int>(row), figure_.rowHeights[row]);
    arranged_ = {};
}

void FigureWidget::updateLayout() {
    plot_->plotLayout()->update(QCPLayoutElement::upPreparation);
    plot_->plotLayout()->update(QCPLayoutElement::upMargins);
    plot_->plotLayout()->update(QCPLayoutElement::upLayout);
}

/// Panels of a column with the same range in x, such as signals over the same time, also end at the same x: a colour
/// bar beside one makes room beside the others. @return whether anything moved
bool FigureWidget::alignRightEnds() {
    bool moved = false;
    for (std::size_t column = 0; column < figure_.columns; ++column) {
        std::vector<FigurePanelView*> panels;
        for (std::size_t i = column; i < panels_.size(); i += figure_.columns) panels.push_back(panels_[i].get());
        const auto alike = [&](const FigurePanelView* panel) {
            const FigureAxis &x = panel->description.x, &first = panels.front()->description.x;
            return x.min && x.max && x.min == first.min && x.max == first.max;
        };
        if (panels.size() < 2 || !std::all_of(panels.begin(), panels.end(), alike)) continue;
        const auto gap = [](const FigurePanelView* panel) {
            return panel->cell->outerRect().right() - panel->axes->rect().right();
        };
        int widest = 0;
        for (const auto* panel : panels) widest = std::max(widest, gap(panel));
        for (auto* panel : panels) {
            panel->rightRoom = widest - gap(panel);
            moved = moved || panel->rightRoom > 0;
        }
    }
    return moved;
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
        panel->rightRoom = 0;
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
    if (alignRightEnds()) fit();
    bool moved = false;
    for (const auto& panel : panels_) moved = panel->placeLabelsAndLegend() || moved;
    if (moved) {
        fit();
        for (const auto& panel : panels_) panel->placeLabelsAndLegend();
    }
    updateLayout();
}

QSizeF FigureWidget::naturalSize(const FigureDescription& figure) {
    const auto columns = static_cast<double>(figure.columns);
    const double rows = figure.rowHeights.empty()
                            ? static_cast<double>(figure.rows)
                            : std::accumulate(figure.rowHeights.begin(), figure.rowHeights.end(), 0.0);
    return {columns == 1 ? 130 : 90 * columns,
            (figure.rows == 1 && columns == 1 ? 85 : 70 * rows) + (figure.title.empty() ? 0 : 8)};
}

FigurePanelGeometry FigureWidget::panelGeometry(std::size_t index) const {
    const FigurePanelView& panel = *panels_.at(index);
    return {QRectF{panel.axes->rect()}, panel.legend ? QRectF{panel.legend->outerRect()} : QRectF{}};
}

QPointF FigureWidget::pixel(std::size_t index, double x, double y) const {
    const FigurePanelView& panel = *panels_.at(index);
    return {panel.x->coordToPixel(x), panel.y->coordToPixel(y)};
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
    if (dark_) return onPaper()->svg(millimetres);
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
    if (dark_) return onPaper()->png(millimetres, dotsPerInch);
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
    if (dark_) return onPaper()->pdf(millimetres);
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
