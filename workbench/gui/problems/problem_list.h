// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/open_document.h"

#include <QFrame>

#include <vector>

namespace raphe {

/// Sentences that say what is wrong, each with the remedies there are. A remedy is carried out as one step to undo.
class ProblemList final : public QFrame {
    Q_OBJECT

public:
    enum class Remedies {
        shown,    ///< as buttons; they are tried at once
        onDemand, ///< in a menu; they are tried when it opens
    };
    ProblemList(OpenDocument& document, const std::vector<LocatedProblem>& problems, Remedies remedies,
                QWidget* parent = nullptr);

Q_SIGNALS:
    void chosen(); ///< a remedy was carried out
    void searchWanted(const QString& words);

private:
    void carryOut(const Fix& fix);

    OpenDocument& document_;
};

/// What is wrong with a node, with one of its ports, or with a wire.
std::vector<LocatedProblem> problemsOf(const Document& document, const std::string& node);
std::vector<LocatedProblem> problemsOf(const Document& document, const Address& port);
std::vector<LocatedProblem> problemsOf(const Document& document, const WireSpec& wire);

} // namespace raphe
