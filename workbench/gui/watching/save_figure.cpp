// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/save_figure.h"

#include "figure_widget.h"
#include "gui/watching/figure_export_dialog.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QSaveFile>

namespace raphe {

void saveFigure(FigureWidget& figure, QWidget* parent, const QString& name) {
    const QString title = QObject::tr("Save figure");
    FigureExportDialog dialog{figure.figure(), parent};
    if (dialog.exec() != QDialog::Accepted) return;
    const QString format = dialog.format();
    QString file = QFileDialog::getSaveFileName(parent, title, name + "." + format,
                                                QObject::tr("%1 files (*.%2)").arg(format.toUpper(), format));
    if (file.isEmpty()) return;
    if (QFileInfo{file}.suffix().toLower() != format) file += "." + format;
    try {
        const QByteArray bytes = dialog.bytes();
        QSaveFile out{file};
        if (out.open(QIODevice::WriteOnly) && out.write(bytes) == bytes.size() && out.commit()) return;
        QMessageBox::warning(parent, title, QObject::tr("%1 cannot be written: %2").arg(file, out.errorString()));
    } catch (const std::exception& error) {
        QMessageBox::warning(parent, title, QString::fromUtf8(error.what()));
    }
}

} // namespace raphe
