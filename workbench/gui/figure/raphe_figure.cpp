// SPDX-License-Identifier: GPL-3.0-or-later
// The program raphe-figure: draws a figure description (JSON) to SVG, PNG or PDF, without a display.

#include "figure_description.h"
#include "figure_widget.h"
#include "raphe/error.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QFile>
#include <QFileInfo>
#include <QFontDatabase>
#include <QSaveFile>

#include <algorithm>
#include <cstdio>
#include <exception>

namespace raphe {
namespace {

constexpr int exitDone = 0, exitFailed = 1, exitBadInput = 2;

/// A failure that is not the input's fault.
struct WriteFailed : std::runtime_error {
    using std::runtime_error::runtime_error;
};

QByteArray readAll(const QString& name) {
    QFile file{name};
    const bool opened = name == "-" ? file.open(stdin, QIODevice::ReadOnly) : file.open(QIODevice::ReadOnly);
    const std::string place = name == "-" ? "standard input" : name.toStdString();
    if (!opened) throw Error(place, "cannot be read: " + file.errorString().toStdString());
    QByteArray text;
    const qint64 limit = static_cast<qint64>(FigureLimits::bytes) + 1;
    while (text.size() < limit) { // a pipe gives what it holds just now; only an empty piece is the end
        const QByteArray piece = file.read(limit - text.size());
        if (piece.isEmpty()) break;
        text += piece;
    }
    if (file.error() != QFileDevice::NoError) throw Error(place, "cannot be read: " + file.errorString().toStdString());
    return text;
}

double optionNumber(const QCommandLineParser& parser, const QString& name, double otherwise, double low, double high) {
    if (!parser.isSet(name)) return otherwise;
    bool valid = false;
    const double value = parser.value(name).toDouble(&valid);
    if (!valid || !(value >= low && value <= high)) {
        throw Error("--" + name.toStdString(), "expected a number from " + QString::number(low).toStdString() + " to " +
                                                   QString::number(high).toStdString() + ", got \"" +
                                                   parser.value(name).toStdString() + "\"");
    }
    return value;
}

int run(const QApplication& application) {
    QCommandLineParser parser;
    parser.setApplicationDescription(
        "Draws a figure description (JSON, see resources/docs/figures.md) to SVG, PNG or PDF.");
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addPositionalArgument("DESCRIPTION", "The figure description; - reads standard input.");
    parser.addOption(
        {{"o", "output"}, "The image to write; its ending chooses the format: .svg, .png or .pdf.", "FILE"});
    parser.addOption({"width", "Width on paper in mm, 20 to 2000.", "MM"});
    parser.addOption({"height", "Height on paper in mm, 20 to 2000.", "MM"});
    parser.addOption({"dpi", "Dots per inch of a PNG, 30 to 2400 (200).", "N"});
    if (!parser.parse(application.arguments())) throw Error(parser.errorText().toStdString());
    if (parser.isSet("help")) {
        std::fputs(qPrintable(parser.helpText()), stdout);
        return exitDone;
    }
    if (parser.isSet("version")) {
        std::printf("raphe-figure %s\n", qPrintable(application.applicationVersion()));
        return exitDone;
    }
    if (parser.positionalArguments().size() != 1) {
        throw Error("expected one DESCRIPTION, got " + std::to_string(parser.positionalArguments().size()) +
                    "; see raphe-figure --help");
    }
    if (!parser.isSet("output")) throw Error("-o FILE is missing; it ends in .svg, .png or .pdf");
    const QString output = parser.value("output");
    const QString format = QFileInfo{output}.suffix().toLower();
    if (format != "svg" && format != "png" && format != "pdf") {
        throw Error("-o", "expected a name that ends in .svg, .png or .pdf, got \"" + output.toStdString() + "\"");
    }

    const QString input = parser.positionalArguments().front();
    const QByteArray text = readAll(input);
    FigureDescription figure = parseFigure(std::string_view{text.constData(), static_cast<std::size_t>(text.size())},
                                           input == "-" ? "standard input" : input.toStdString());
    QSizeF natural = FigureWidget::naturalSize(figure);
    if (parser.isSet("width") != parser.isSet("height")) // the other side follows
        natural *= parser.isSet("width") ? optionNumber(parser, "width", 0, 20, 2000) / natural.width()
                                         : optionNumber(parser, "height", 0, 20, 2000) / natural.height();
    const QSizeF size{optionNumber(parser, "width", std::clamp(natural.width(), 20.0, 2000.0), 20, 2000),
                      optionNumber(parser, "height", std::clamp(natural.height(), 20.0, 2000.0), 20, 2000)};
    const int dpi = static_cast<int>(optionNumber(parser, "dpi", 200, 30, 2400));

    if (QFontDatabase::families().isEmpty())
        throw WriteFailed("there is no font to draw text with; install fonts-dejavu-core");
    FigureWidget widget;
    widget.setFigure(std::move(figure));
    const QByteArray bytes = format == "svg"   ? widget.svg(size)
                             : format == "png" ? widget.png(size, dpi)
                                               : widget.pdf(size);
    QSaveFile file{output};
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size() || !file.commit()) {
        throw WriteFailed(output.toStdString() + ": cannot be written: " + file.errorString().toStdString());
    }
    return exitDone;
}

} // namespace
} // namespace raphe

int main(int argc, char** argv) {
    // Qt's remarks about a missing session (run-time directory, themes) mean nothing here; its failures do.
    qInstallMessageHandler([](QtMsgType type, const QMessageLogContext&, const QString& message) {
        if (type == QtCriticalMsg || type == QtFatalMsg)
            std::fprintf(stderr, "raphe-figure: %s\n", qPrintable(message));
    });
    if (!qEnvironmentVariableIsSet("QT_QPA_PLATFORM")) qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application{argc, argv};
    QApplication::setApplicationName("raphe-figure");
    QApplication::setApplicationVersion(RAPHE_VERSION);
    try {
        return raphe::run(application);
    } catch (const raphe::Error& error) {
        std::fprintf(stderr, "raphe-figure: %s\n", error.what());
        return raphe::exitBadInput;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "raphe-figure: %s\n", error.what());
        return raphe::exitFailed;
    }
}
