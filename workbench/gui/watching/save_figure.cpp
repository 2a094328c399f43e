// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/save_figure.h"

#include "figure_widget.h"
#include "raphe/error.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QMessageBox>
#include <QSaveFile>

#include <algorithm>

namespace raphe {
namespace {

constexpr int dotsPerInch = 300;

} // namespace

void writeFigure(const FigureDescription& description, double millimetres, const QString& file) {
    FigureWidget figure; // one of its own: light paper, whatever the window's colours are
    figure.setFigure(description);
    const QSizeF natural = FigureWidget::naturalSize(description);
    const QSizeF paper{millimetres, millimetres * natural.height() / natural.width()};
    const QString format = QFileInfo{file}.suffix().toLower();
    const QByteArray bytes = format == "png"   ? figure.png(paper, dotsPerInch)
                             : format == "pdf" ? figure.pdf(paper)
                                               : figure.svg(paper);
    QSaveFile out{file};
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit())
        throw Error(file.toStdString(), "cannot be written: " + out.errorString().toStdString());
}

void saveFigure(const FigureInColumns& figure, std::size_t columns, QWidget* parent, const QString& name) {
    const QString title = QObject::tr("Save figure");
    const double natural = FigureWidget::naturalSize(figure(columns)).width();
    const QStringList sizes{QObject::tr("one column (%1 mm)").arg(oneColumn),
                            QObject::tr("two columns (%1 mm)").arg(twoColumns),
                            QObject::tr("as on the screen (%1 mm)").arg(natural, 0, 'f', 0)};
    bool accepted = false;
    const QString size =
        QInputDialog::getItem(parent, title, QObject::tr("Width on paper"), sizes, 0, false, &accepted);
    if (!accepted) return;
    QString suggestion = name.toLower();
    for (QChar& c : suggestion)
        if (!c.isLetterOrNumber() && c != '.' && c != '_' && c != '-') c = '_';
    QString file =
        QFileDialog::getSaveFileName(parent, title, suggestion + ".svg", QObject::tr("Figures (*.svg *.pdf *.png)"));
    if (file.isEmpty()) return;
    const QString format = QFileInfo{file}.suffix().toLower();
    if (format != "svg" && format != "pdf" && format != "png") file += ".svg";
    try {
        const auto chosen = std::max<qsizetype>(0, sizes.indexOf(size));
        const double widths[] = {oneColumn, twoColumns, natural};
        writeFigure(figure(chosen == 0 ? 1 : columns), widths[chosen], file);
    } catch (const std::exception& error) {
        QMessageBox::warning(parent, title, QString::fromUtf8(error.what()));
    }
}

void saveFigure(const FigureDescription& figure, QWidget* parent, const QString& name) {
    saveFigure([&](std::size_t) { return figure; }, figure.columns, parent, name);
}

} // namespace raphe
