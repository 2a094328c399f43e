// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/watching/trial_recording.h"

#include <QWidget>

#include <vector>

class QLabel;
class QVBoxLayout;

namespace raphe {

class PerturbationRow;

/// Interventions on the trials that are shown: those of the document, and whatever one adds here to try it. Moving a
/// slider says so at once; the document is left as it is.
class PerturbationList final : public QWidget {
    Q_OBJECT

public:
    explicit PerturbationList(QWidget* parent = nullptr);

    /// What one may intervene on, with the largest value that each port has shown.
    void setTargets(std::vector<TrialTarget> targets, std::vector<double> largest, int steps);
    /// Interventions of the document; what was added here stays.
    void setDocument(const std::vector<Intervention>& interventions);
    std::vector<Intervention> interventions() const;
    void clear();
    /// One more, switched on.
    void add(const Intervention& intervention);

Q_SIGNALS:
    void changed();
    void keepWanted(const raphe::Intervention& intervention); ///< into the document

private:
    PerturbationRow* append(const Intervention& intervention, bool ofDocument);
    void remove(PerturbationRow* row);
    void showEmpty();

    std::vector<TrialTarget> targets_;
    std::vector<double> largest_;
    std::vector<Intervention> document_; ///< as it was last said
    int steps_ = 0;
    std::vector<PerturbationRow*> rows_; ///< those of the document first
    QVBoxLayout* list_;
    QLabel* empty_;
};

} // namespace raphe
