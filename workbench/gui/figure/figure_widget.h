// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <QByteArray>
#include <QRectF>
#include <QSizeF>
#include <QWidget>

#include <memory>

class QCPTextElement;
class QCustomPlot;
class QTimer;

namespace raphe {

struct FigurePanelView;

/// Where a panel stood in the last drawing, in units of 1/96 inch from the top left of the figure.
struct FigurePanelGeometry {
    QRectF axes;
    QRectF legend; ///< empty when there is none
};

/// Shows a figure description, and writes it as SVG, PNG or PDF. A QApplication must exist (its platform may be
/// "offscreen"); everything here belongs to the GUI thread.
class FigureWidget final : public QWidget {
    Q_OBJECT

public:
    explicit FigureWidget(QWidget* parent = nullptr);
    ~FigureWidget() override;

    /// Colours of the screen; files are for light paper in any case.
    void setDark(bool dark);
    /// Replaces the figure. On the screen it is redrawn at most 30 times a second, however often this is called.
    void setFigure(FigureDescription figure);
    const FigureDescription& figure() const { return figure_; }

    /// A size on paper, in mm, at which the figure reads well.
    static QSizeF naturalSize(const FigureDescription& figure);

    /// The figure as a file's contents, for a size on paper in mm. Two calls give the same bytes, but for the date in a
    /// PDF.
    /// @throws Error when the image would be too large
    QByteArray svg(QSizeF millimetres);
    QByteArray png(QSizeF millimetres, int dotsPerInch);
    QByteArray pdf(QSizeF millimetres);

    /// Panels of the last drawing.
    std::size_t panelCount() const { return panels_.size(); }
    FigurePanelGeometry panelGeometry(std::size_t panel) const;
    /// Where a point of a panel stands in it.
    QPointF pixel(std::size_t panel, double x, double y) const;

Q_SIGNALS:
    void drawn(); ///< on the screen

private:
    void clear();
    void rebuildIfNeeded();
    std::unique_ptr<FigureWidget> onPaper() const;
    void arrange(QSize size);
    void updateLayout();
    bool alignRightEnds();
    QSize beginExport(QSizeF millimetres);
    void endExport();

    FigureDescription figure_;
    QCustomPlot* plot_;
    std::vector<std::unique_ptr<FigurePanelView>> panels_;
    QTimer* redraw_;
    bool dark_ = false;
    bool stale_ = false; ///< figure_ is newer than what plot_ holds
    QCPTextElement* title_ = nullptr;
    QSize arranged_; ///< the size that legends and labels were placed for
};

} // namespace raphe
