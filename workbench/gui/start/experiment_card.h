// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/start/shipped_experiments.h"

#include <QFrame>

class QLabel;

namespace raphe {

/// An experiment as a picture of its graph, one sentence and its paper.
class ExperimentCard final : public QFrame {
    Q_OBJECT

public:
    explicit ExperimentCard(const ShippedExperiment& experiment, QWidget* parent = nullptr);

    static constexpr int leastWidth = 200;
    void setWidth(int width);
    void drawPicture(const Registry& registry);

Q_SIGNALS:
    void openWanted(const QString& name);

protected:
    void mousePressEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void paintEvent(QPaintEvent* event) override;

private:
    ShippedExperiment experiment_;
    QLabel* picture_;
};

} // namespace raphe
