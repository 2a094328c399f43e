// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/watching/figure_export_dialog.h"

#include "figure_widget.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSettings>

#include <algorithm>

namespace raphe {
namespace {

constexpr double leastSide = 20, largestSide = 400;

struct Format {
    const char* name;
    const char* suffix;
    int dotsPerInch; ///< 0: lines, which have no dots
};
constexpr Format formats[] = {{"SVG, lines that can be edited", "svg", 0},
                              {"PDF, lines", "pdf", 0},
                              {"PNG, 300 dots per inch", "png", 300},
                              {"PNG, 600 dots per inch", "png", 600}};

QDoubleSpinBox* millimetreBox() {
    auto* box = new QDoubleSpinBox;
    box->setRange(leastSide, largestSide);
    box->setDecimals(0);
    box->setSuffix(QObject::tr(" mm"));
    return box;
}

} // namespace

FigureExportDialog::FigureExportDialog(FigureInColumns figure, std::size_t columns, QWidget* parent)
    : QDialog(parent), make_(std::move(figure)), columns_(columns), figure_(make_(columns)),
      drawn_(new FigureWidget{this}), size_(new QComboBox), format_(new QComboBox), width_(millimetreBox()),
      height_(millimetreBox()), title_(new QCheckBox{tr("With its title")}), preview_(new QLabel), note_(new QLabel) {
    setWindowTitle(tr("Save figure"));
    drawn_->hide();
    const QSizeF natural = FigureWidget::naturalSize(figure_);
    proportion_ = natural.height() / natural.width();
    size_->addItem(tr("One column"), oneColumn);
    size_->addItem(tr("Two columns"), twoColumns);
    size_->addItem(tr("As it reads well"), std::min(natural.width(), largestSide));
    size_->addItem(tr("Other"), 0.0);
    for (const auto& format : formats) format_->addItem(tr(format.name));
    size_->setAccessibleName(tr("Size on paper"));
    width_->setAccessibleName(tr("Width on paper"));
    height_->setAccessibleName(tr("Height on paper"));
    format_->setAccessibleName(tr("Format"));
    title_->setEnabled(!figure_.title.empty());
    title_->setToolTip(tr("In a paper, the caption says it"));
    note_->setWordWrap(true);
    note_->setEnabled(false);
    note_->setText(
        tr("Shown at its size on paper. Letters are 8 to 9 points high and lines about 1 point wide, whatever the "
           "size; the colours are told apart with any kind of colour vision."));

    const QSettings settings;
    const auto chosen = [&](const char* key, int count) {
        return std::clamp(settings.value(key, 0).toInt(), 0, count - 1);
    };
    format_->setCurrentIndex(chosen("figure/format", format_->count()));
    title_->setChecked(title_->isEnabled() && settings.value("figure/title", false).toBool());
    size_->setCurrentIndex(chosen("figure/size", size_->count() - 1));
    chooseWidth();

    auto* form = new QFormLayout;
    form->addRow(tr("Size"), size_);
    form->addRow(tr("Width"), width_);
    form->addRow(tr("Height"), height_);
    form->addRow(tr("Format"), format_);
    form->addRow({}, title_);
    form->addRow(note_);
    auto* buttons = new QDialogButtonBox{QDialogButtonBox::Save | QDialogButtonBox::Cancel};
    buttons->button(QDialogButtonBox::Save)->setText(tr("Save as…"));
    auto* left = new QVBoxLayout;
    left->addLayout(form);
    left->addStretch();
    left->addWidget(buttons);
    auto* scroll = new QScrollArea;
    scroll->setWidget(preview_);
    scroll->setAlignment(Qt::AlignCenter);
    scroll->setMinimumSize(360, 280);
    scroll->setAccessibleName(tr("The figure at its size on paper"));
    auto* layout = new QHBoxLayout{this};
    layout->addLayout(left);
    layout->addWidget(scroll, 1);
    resize(1020, 520);

    timer_.setSingleShot(true);
    timer_.setInterval(80);
    connect(&timer_, &QTimer::timeout, this, &FigureExportDialog::updatePreview);
    connect(size_, &QComboBox::activated, this, &FigureExportDialog::chooseWidth);
    connect(width_, &QDoubleSpinBox::valueChanged, this, [this](double width) {
        if (width != size_->currentData().toDouble()) size_->setCurrentIndex(size_->count() - 1);
        arrange();
        height_->setValue(width * proportion_);
        timer_.start();
    });
    connect(height_, &QDoubleSpinBox::valueChanged, &timer_, qOverload<>(&QTimer::start));
    connect(title_, &QCheckBox::toggled, &timer_, qOverload<>(&QTimer::start));
    connect(buttons, &QDialogButtonBox::accepted, this, [this] {
        remember();
        accept();
    });
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    updatePreview();
}

FigureExportDialog::~FigureExportDialog() = default;

QSizeF FigureExportDialog::millimetres() const { return {width_->value(), height_->value()}; }

QString FigureExportDialog::format() const {
    return QLatin1String{formats[std::max(0, format_->currentIndex())].suffix};
}

void FigureExportDialog::chooseWidth() {
    const double width = size_->currentData().toDouble();
    if (width <= 0) return;
    width_->setValue(width);
    arrange();
    height_->setValue(width * proportion_);
}

void FigureExportDialog::arrange() {
    const std::size_t columns = width_->value() <= oneColumn ? 1 : columns_;
    if (figure_.columns == columns) return;
    figure_ = make_(columns);
    const QSizeF natural = FigureWidget::naturalSize(figure_);
    proportion_ = natural.height() / natural.width();
}

QByteArray FigureExportDialog::bytes() const {
    const auto& chosen = formats[std::max(0, format_->currentIndex())];
    FigureDescription figure = figure_;
    if (!title_->isChecked()) figure.title.clear();
    drawn_->setFigure(std::move(figure));
    if (chosen.dotsPerInch > 0) return drawn_->png(millimetres(), chosen.dotsPerInch);
    return chosen.suffix == std::string_view{"pdf"} ? drawn_->pdf(millimetres()) : drawn_->svg(millimetres());
}

void FigureExportDialog::updatePreview() {
    timer_.stop();
    FigureDescription figure = figure_;
    if (!title_->isChecked()) figure.title.clear();
    drawn_->setFigure(std::move(figure));
    try {
        constexpr int dotsOfScreen = 96;
        const double ratio = devicePixelRatioF();
        QPixmap picture;
        picture.loadFromData(drawn_->png(millimetres(), static_cast<int>(dotsOfScreen * ratio)), "PNG");
        picture.setDevicePixelRatio(ratio);
        preview_->setPixmap(picture);
    } catch (const std::exception& error) {
        preview_->setText(QString::fromUtf8(error.what()));
    }
    preview_->adjustSize();
}

void FigureExportDialog::remember() const {
    QSettings settings;
    settings.setValue("figure/format", format_->currentIndex());
    settings.setValue("figure/size", size_->currentIndex());
    if (title_->isEnabled()) settings.setValue("figure/title", title_->isChecked());
}

} // namespace raphe
