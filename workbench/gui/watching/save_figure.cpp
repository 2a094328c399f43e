// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/save_figure.h"

#include "figure_widget.h"
#include "gui/watching/figure_export_dialog.h"
#include "raphe/error.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>

namespace raphe {
namespace {

constexpr int dotsPerInch = 300;

void write(const QByteArray& bytes, const QString& file) {
    QSaveFile out{file};
    if (!out.open(QIODevice::WriteOnly) || out.write(bytes) != bytes.size() || !out.commit())
        throw Error(file.toStdString(), "cannot be written: " + out.errorString().toStdString());
}

} // namespace

void writeFigure(const FigureDescription& description, double millimetres, const QString& file) {
    FigureWidget figure; // one of its own: light paper, whatever the window's colours are
    figure.setFigure(description);
    const QSizeF natural = FigureWidget::naturalSize(description);
    const QSizeF paper{millimetres, millimetres * natural.height() / natural.width()};
    const QString format = QFileInfo{file}.suffix().toLower();
    write(format == "png"   ? figure.png(paper, dotsPerInch)
          : format == "pdf" ? figure.pdf(paper)
                            : figure.svg(paper),
          file);
}

void saveFigure(const FigureInColumns& figure, std::size_t columns, QWidget* parent, const QString& name) {
    const QString title = QObject::tr("Save figure");
    FigureExportDialog dialog{figure, columns, parent};
    if (dialog.exec() != QDialog::Accepted) return;
    QString suggestion = name.toLower();
    for (QChar& c : suggestion)
        if (!c.isLetterOrNumber() && c != '.' && c != '_' && c != '-') c = '_';
    const QString format = dialog.format();
    QString file = QFileDialog::getSaveFileName(parent, title, suggestion + "." + format,
                                                QObject::tr("%1 files (*.%2)").arg(format.toUpper(), format));
    if (file.isEmpty()) return;
    if (QFileInfo{file}.suffix().toLower() != format) file += "." + format;
    try {
        write(dialog.bytes(), file);
    } catch (const std::exception& error) {
        QMessageBox::warning(parent, title, QString::fromUtf8(error.what()));
    }
}

void saveFigure(const FigureDescription& figure, QWidget* parent, const QString& name) {
    saveFigure([&](std::size_t) { return figure; }, figure.columns, parent, name);
}

} // namespace raphe
