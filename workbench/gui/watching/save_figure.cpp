// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/save_figure.h"

#include "figure_widget.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QInputDialog>
#include <QMessageBox>
#include <QSaveFile>

namespace raphe {

void saveFigure(FigureWidget& figure, QWidget* parent, const QString& name) {
    const QString title = QObject::tr("Save figure");
    const QSizeF natural = FigureWidget::naturalSize(figure.figure());
    const double aspect = natural.height() / natural.width();
    const QStringList sizes{
        QObject::tr("as it reads well (%1 × %2 mm)").arg(natural.width(), 0, 'f', 0).arg(natural.height(), 0, 'f', 0),
        QObject::tr("one column (85 mm)"), QObject::tr("two columns (174 mm)")};
    bool accepted = false;
    const QString size = QInputDialog::getItem(parent, title, QObject::tr("Size on paper"), sizes, 0, false, &accepted);
    if (!accepted) return;
    QString file =
        QFileDialog::getSaveFileName(parent, title, name + ".svg", QObject::tr("Figures (*.svg *.pdf *.png)"));
    if (file.isEmpty()) return;
    const QString format = QFileInfo{file}.suffix().toLower();
    if (format != "svg" && format != "pdf" && format != "png") file += ".svg";
    const double widths[] = {natural.width(), 85, 174};
    const double width = widths[sizes.indexOf(size)];
    const QSizeF paper{width, width * aspect};
    try {
        const QByteArray bytes = format == "png"   ? figure.png(paper, 300)
                                 : format == "pdf" ? figure.pdf(paper)
                                                   : figure.svg(paper);
        QSaveFile out{file};
        if (out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit()) return;
        QMessageBox::warning(parent, title, QObject::tr("%1 cannot be written: %2").arg(file, out.errorString()));
    } catch (const std::exception& error) {
        QMessageBox::warning(parent, title, QString::fromUtf8(error.what()));
    }
}

} // namespace raphe
