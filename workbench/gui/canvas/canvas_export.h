// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"

#include <QByteArray>
#include <QPixmap>

namespace raphe {

/// The whole graph as a file's contents, on white as on paper.
QByteArray canvasSvg(CanvasScene& scene);
QByteArray canvasPng(CanvasScene& scene, double scale = 3);
QByteArray canvasPdf(CanvasScene& scene);

/// A small picture of an experiment's graph, in the colours of the window.
QPixmap graphPicture(const Experiment& experiment, const Registry& registry, const QSize& size, double pixelRatio);

} // namespace raphe
