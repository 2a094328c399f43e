// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/open_document.h"

#include <QPointer>
#include <QScrollArea>
#include <QTimer>

#include <optional>
#include <string>
#include <vector>

namespace raphe {

/// What is chosen on the canvas, to be read and changed: a node, a wire, or the document itself.
class InspectorPanel final : public QScrollArea {
    Q_OBJECT

public:
    explicit InspectorPanel(QWidget* parent = nullptr);

    void setDocument(OpenDocument* document);
    void showNodes(const std::vector<std::string>& names);
    void showWire(const WireSpec& wire);
    void showDocument();
    /// Brings an entry of the document's interventions into view, once it is shown.
    void showIntervention(int number);

Q_SIGNALS:
    void searchWanted(const QString& words); ///< among the mechanisms

private:
    void rebuild();
    QWidget* makePage();

    QPointer<OpenDocument> document_;
    std::string node_;
    std::vector<std::string> several_;
    std::optional<WireSpec> wire_;
    std::optional<int> revealed_; ///< an intervention that is to be seen
    QTimer later_;                ///< the widget that asks for a change must not be deleted while it does
    QMetaObject::Connection connection_;
    bool manualOpen_ = false;
    std::vector<bool> openStages_;
};

} // namespace raphe
