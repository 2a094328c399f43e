// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QIcon>

#include <functional>
#include <vector>

class QLineEdit;
class QListWidget;

namespace raphe {

/// Something that can be chosen by its name.
struct PaletteEntry {
    QString title, detail;
    std::function<void()> act;
};

/// How well an entry answers what was typed: larger is better, 0 not at all. The letters must occur in their order;
/// beginnings of words and letters side by side count more.
int matchScore(const QString& typed, const QString& title);

/// Everything the window can do, found by typing a part of its name.
class CommandPalette final : public QDialog {
    Q_OBJECT

public:
    CommandPalette(std::vector<PaletteEntry> entries, QWidget* parent);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void fill();
    void take();

    std::vector<PaletteEntry> entries_;
    std::vector<std::size_t> shown_;
    QLineEdit* search_;
    QListWidget* list_;
};

} // namespace raphe
