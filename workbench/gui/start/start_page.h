// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/start/shipped_experiments.h"

#include <QScrollArea>
#include <QTimer>

#include <deque>
#include <vector>

class QGridLayout;
class QVBoxLayout;

namespace raphe {

class ExperimentCard;

/// What one sees first: the experiments that come with Raphe, and one's own recent work.
class StartPage final : public QScrollArea {
    Q_OBJECT

public:
    explicit StartPage(const Registry& registry, QWidget* parent = nullptr);

    void setRecent(const QStringList& files);

Q_SIGNALS:
    void openWanted(const QString& nameOrPath);
    void newWanted();
    void browseWanted();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void fill();
    void arrange();
    void drawNext();

    const Registry& registry_;
    QVBoxLayout* recent_;
    QGridLayout* grid_;
    std::vector<ExperimentCard*> cards_;
    std::deque<ExperimentCard*> undrawn_; ///< pictures are drawn one by one, when nothing else is to be done
    QTimer drawing_;
    int columns_ = 0;
};

} // namespace raphe
