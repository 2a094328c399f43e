// SPDX-License-Identifier: GPL-3.0-or-later
#include "gui/canvas/canvas_export.h"

#include "gui/shell/theme.h"

#include <QBuffer>
#include <QImage>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgGenerator>

#include <algorithm>

namespace raphe {
namespace {

constexpr double margin = 16;

/// While it lives, the scene shows no selection and is painted for paper.
class OnPaper {
public:
    explicit OnPaper(CanvasScene& scene) : scene_(scene), selected_(scene.selectedItems()) {
        scene.clearSelection();
        scene.setPaper(true);
    }
    ~OnPaper() {
        scene_.setPaper(false);
        for (QGraphicsItem* item : selected_) item->setSelected(true);
    }

private:
    CanvasScene& scene_;
    QList<QGraphicsItem*> selected_;
};

QRectF frameOf(const CanvasScene& scene) { return scene.content().adjusted(-margin, -margin, margin, margin); }

} // namespace

QByteArray canvasSvg(CanvasScene& scene) {
    const OnPaper paper{scene};
    const QRectF frame = frameOf(scene);
    QByteArray bytes;
    QBuffer buffer{&bytes};
    QSvgGenerator generator;
    generator.setOutputDevice(&buffer);
    generator.setResolution(96);
    generator.setSize(frame.size().toSize());
    generator.setViewBox(QRectF{QPointF{}, frame.size()});
    QPainter painter{&generator};
    scene.render(&painter, QRectF{QPointF{}, frame.size()}, frame);
    painter.end();
    return bytes;
}

QByteArray canvasPng(CanvasScene& scene, double scale) {
    const OnPaper paper{scene};
    const QRectF frame = frameOf(scene);
    scale = std::min(scale, 12000 / std::max(frame.width(), frame.height()));
    QImage image{(frame.size() * scale).toSize(), QImage::Format_RGB32};
    image.fill(Qt::white);
    QPainter painter{&image};
    scene.render(&painter, image.rect(), frame);
    painter.end();
    QByteArray bytes;
    QBuffer buffer{&bytes};
    buffer.open(QIODevice::WriteOnly);
    image.save(&buffer, "PNG");
    return bytes;
}

QByteArray canvasPdf(CanvasScene& scene) {
    const OnPaper paper{scene};
    const QRectF frame = frameOf(scene);
    QByteArray bytes;
    QBuffer buffer{&bytes};
    buffer.open(QIODevice::WriteOnly);
    QPdfWriter writer{&buffer};
    writer.setResolution(1200);
    writer.setPageSize(QPageSize{frame.size() * 25.4 / 96, QPageSize::Millimeter});
    writer.setPageMargins(QMarginsF{});
    QPainter painter{&writer};
    scene.render(&painter, QRectF{0, 0, static_cast<double>(writer.width()), static_cast<double>(writer.height())},
                 frame);
    painter.end();
    return bytes;
}

QPixmap graphPicture(const Experiment& experiment, const Registry& registry, const QSize& size, double pixelRatio) {
    QPixmap pixmap{size * pixelRatio};
    pixmap.setDevicePixelRatio(pixelRatio);
    pixmap.fill(theme().canvas);
    CanvasScene scene;
    scene.setGraph(canvasGraph(experiment, registry, {}));
    QPainter painter{&pixmap};
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF room = QRectF{QPointF{}, QSizeF{size}}.adjusted(6, 6, -6, -6), content = scene.content();
    QRectF target{QPointF{}, content.size().scaled(room.size(), Qt::KeepAspectRatio)};
    target.moveCenter(room.center());
    scene.render(&painter, target, content);
    return pixmap;
}

} // namespace raphe
