// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/running/run_queue.h"
#include "gui/watching/curves_figure.h"

#include <QTimer>
#include <QWidget>

#include <filesystem>
#include <memory>

class QCheckBox;
class QLabel;
class QListWidget;
class QListWidgetItem;
class QSpinBox;
class QMenu;
class QToolButton;

namespace raphe {

class FigureWidget;

/// Learning curves of the runs of this window, while they train, and of stored ones.
class CurvesPanel final : public QWidget {
    Q_OBJECT

public:
    explicit CurvesPanel(RunQueue& queue, QWidget* parent = nullptr);
    ~CurvesPanel() override;

    /// Adds a stored run; its metrics are read on another thread.
    void addStored(const std::filesystem::path& folder, const QString& name);
    const FigureWidget& figure() const { return *figure_; }

protected:
    void showEvent(QShowEvent* event) override;

private:
    struct Source;
    void add(std::shared_ptr<Source> source);
    void requestReplot();
    void replot();
    void save();
    FigureDescription drawing(std::size_t columns, bool dark) const;
    void showMark(int row);
    std::vector<std::string> chosenMetrics() const;
    void offer(const std::vector<std::string>& metrics);
    std::vector<Curve> shown() const;

    RunQueue& queue_;
    std::vector<std::shared_ptr<Source>> sources_; ///< by row of the list, which is the number of their mark as well
    FigureWidget* figure_;
    QLabel* empty_;
    QListWidget* list_;
    QToolButton* metric_;
    QMenu* metrics_; ///< those that are there, with marks at those that are shown
    QSpinBox* smoothing_;
    QCheckBox* logarithmic_;
    QToolButton* hold_;
    QTimer replotTimer_;
};

} // namespace raphe
