// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/save_figure.h"

#include <QDialog>
#include <QTimer>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QScrollArea;

namespace raphe {

class FigureWidget;

/// How a figure is to stand on paper: size, title, format. Shows it as it will be, at its size.
class FigureExportDialog final : public QDialog {
    Q_OBJECT

public:
    /// @param columns  of panels that it has on the screen; in one column of a page there is one
    FigureExportDialog(FigureInColumns figure, std::size_t columns, QWidget* parent = nullptr);
    ~FigureExportDialog() override;

    QSizeF millimetres() const;
    /// "svg", "pdf" or "png"
    QString format() const;
    /// The contents of the file. @throws Error if the picture would be too large
    QByteArray bytes() const;

private:
    void chooseWidth();
    /// The panels as they fit the width.
    void arrange();
    void updatePreview();
    void remember() const;

    FigureInColumns make_;
    std::size_t columns_;
    FigureDescription figure_;
    double proportion_; ///< height of the width, as the figure reads well
    FigureWidget* drawn_;
    QComboBox *size_, *format_;
    QDoubleSpinBox *width_, *height_;
    QCheckBox* title_;
    QLabel *preview_, *note_;
    QTimer timer_;
};

} // namespace raphe
