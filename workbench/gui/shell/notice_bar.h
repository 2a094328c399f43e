// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QLabel;

namespace raphe {

/// A line above the documents that says what the user should know but need not answer.
class NoticeBar final : public QFrame {
    Q_OBJECT

public:
    explicit NoticeBar(QWidget* parent = nullptr);

    /// Adds a sentence. Empty ones are left out.
    void say(const QString& sentence);
    QString text() const;

private:
    void applyTheme();

    QLabel* words_;
};

} // namespace raphe
