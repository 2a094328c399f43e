// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDateTime>
#include <QDialog>

#include <vector>

class QTreeWidget;

namespace raphe {

/// Something that was open when the program ended without closing it.
struct Leftover {
    QString name;    ///< of the document or script
    QString changes; ///< "12 commands"
    QDateTime last;  ///< when it was changed last
    QString note;    ///< what else one should know
};

/// Offers what a crash has left behind.
class RecoveryDialog final : public QDialog {
    Q_OBJECT

public:
    enum Choice { later, recover, discard };

    RecoveryDialog(const std::vector<Leftover>& leftovers, const QString& laterText, QWidget* parent = nullptr);

    /// What shall be done with those that are checked; with the others nothing.
    Choice choice() const { return choice_; }
    std::vector<bool> checked() const;

private:
    void choose(Choice choice);

    QTreeWidget* list_;
    Choice choice_ = later;
};

} // namespace raphe
