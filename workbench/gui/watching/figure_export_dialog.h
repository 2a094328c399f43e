// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

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
    explicit FigureExportDialog(const FigureDescription& figure, QWidget* parent = nullptr);
    ~FigureExportDialog() override;

    static constexpr double oneColumn = 85, twoColumns = 174; ///< mm

    QSizeF millimetres() const;
    /// "svg", "pdf" or "png"
    QString format() const;
    /// The contents of the file. @throws Error if the picture would be too large
    QByteArray bytes() const;

private:
    void chooseWidth();
    void updatePreview();
    void remember() const;

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
