// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/comparing/comparison_model.h"

#include <QWidget>

#include <filesystem>

class QCheckBox;
class QComboBox;
class QLabel;
class QSpinBox;
class QSplitter;
class QTreeView;

namespace raphe {

class FigureWidget;

/// Chosen runs side by side: their curves, what differs between them, and where they ended.
class ComparisonView final : public QWidget {
    Q_OBJECT

public:
    explicit ComparisonView(const RunList& runs, QWidget* parent = nullptr);

    QString title() const;
    const ComparisonModel& model() const { return model_; }
    const FigureWidget& figure() const { return *figure_; }

Q_SIGNALS:
    void documentWanted(const std::filesystem::path& folder);
    void playWanted(const std::filesystem::path& folder, const QString& name);

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void read();
    void draw();
    void showMenu(const QPoint& at);
    void openDocuments();
    void saveData();
    CurveStyle style() const;

    ComparisonModel model_;
    std::shared_ptr<const GroupCurves> curves_; ///< of the metric that was read last
    QComboBox *metric_, *show_;
    QSpinBox* smoothing_;
    QCheckBox *logarithmic_, *finals_;
    FigureWidget* figure_;
    QLabel* message_;
    QSplitter* split_;
    QTreeView* table_;
    int drawing_ = 0, reading_ = 0; ///< the latest of each; what an earlier one leads to is not shown
};

} // namespace raphe
