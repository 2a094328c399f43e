// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/canvas/canvas_scene.h"
#include "gui/canvas/node_alignment.h"
#include "gui/shell/open_document.h"

#include <QGraphicsView>
#include <QPointer>

class QLabel;
class QMenu;

namespace raphe {

class CanvasSearch;
class MiniMap;

/// What a mechanism is dragged as.
inline constexpr const char* mechanismMime = "application/x-raphe-mechanism";

/// How graphs are shown, in every document.
struct CanvasOptions {
    WireStyle wires = WireStyle::orthogonal;
    bool miniMap = true;
};

/// The graph of an open document, to be edited.
class CanvasView final : public QGraphicsView {
    Q_OBJECT

public:
    explicit CanvasView(OpenDocument& document, QWidget* parent = nullptr);

    OpenDocument& document() { return document_; }
    CanvasScene& canvas() { return *scene_; }
    void setOptions(const CanvasOptions& options);

    void zoomToFit();
    void zoomBy(double factor);
    void search();
    /// Shows a node, or a port of it, in the view, and makes it the current one.
    void reveal(const Address& spot);
    /// What is wrong with a node or a port, and the remedies.
    void showProblems(const Address& spot, const QPointF& where);

    // canvas_edits.cpp
    void arrange(); ///< lays all nodes out anew
    void align(Alignment alignment);
    void copySelection();
    void cutSelection();
    void paste();
    void duplicateSelection();
    void removeSelection();
    void selectAll();
    /// Adds a node, where the view is or at a point of the scene.
    void addMechanism(const QString& key, std::optional<QPointF> at = std::nullopt);
    /// Where the next node finds room, beside the one that is chosen.
    QPointF freePlace(const std::string& name, const std::string& mechanism) const;
    void exportPicture();

    // canvas_menu.cpp
    /// Fills a menu with what can be done at a point of the scene.
    void fillMenu(QMenu& menu, const QPointF& at);
    /// Ways to line nodes up, as they are called in menus.
    static std::vector<std::pair<QString, Alignment>> alignments();

Q_SIGNALS:
    void nodesSelected(const std::vector<std::string>& names);
    void wireSelected(const raphe::WireSpec& wire);
    void nothingSelected();
    void mechanismsWanted(const QString& search);
    void interventionAdded(int number);

protected:
    void wheelEvent(QWheelEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void scrollContentsBy(int dx, int dy) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dragMoveEvent(QDragMoveEvent* event) override;
    void dropEvent(QDropEvent* event) override;
    // canvas_keys.cpp
    void keyPressEvent(QKeyEvent* event) override;
    bool focusNextPrevChild(bool next) override;
    void focusInEvent(QFocusEvent* event) override;
    void focusOutEvent(QFocusEvent* event) override;

private:
    void rebuild();
    void showNotice(const QString& sentence, bool refusal);
    void placeOverlays();
    void tellSelection();
    void currentChanged();
    void nudge(int dx, int dy);
    /// Selects the nodes that were not there before.
    void selectNew(const std::vector<std::string>& before);
    void addInterventionMenu(QMenu& menu, const Address& target);
    void addPortMenu(QMenu& menu, const CanvasNode& node, const CanvasPort& port);

    OpenDocument& document_;
    CanvasScene* scene_;
    QLabel *notice_, *hint_;
    MiniMap* map_ = nullptr;
    CanvasSearch* search_ = nullptr;
    QPointer<QWidget> bubble_;
    std::optional<QPoint> panning_;
    bool keepsFit_ = true; ///< all of the graph is in sight, and stays so when the view changes its size
    bool ownMove_ = false;
};

} // namespace raphe
