// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/graph_search.h"

#include <QFrame>

class QLabel;
class QLineEdit;

namespace raphe {

/// A line above the graph in which one looks for nodes and ports. Enter goes from hit to hit.
class CanvasSearch final : public QFrame {
    Q_OBJECT

public:
    explicit CanvasSearch(QWidget* parent);

    void open();
    /// Looks again in a graph that has changed.
    void setGraph(const CanvasGraph& graph);

Q_SIGNALS:
    void found(const raphe::GraphHit& hit);
    void closed();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void search();
    void go(int by);
    void showCount();

    CanvasGraph graph_;
    std::vector<GraphHit> hits_;
    int current_ = -1;
    QLineEdit* words_;
    QLabel* count_;
};

} // namespace raphe
