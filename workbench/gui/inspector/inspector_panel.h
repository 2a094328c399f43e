// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/shell/open_document.h"

#include <QPointer>
#include <QScrollArea>
#include <QTimer>

#include <optional>
#include <string>
#include <vector>

class QVBoxLayout;

namespace raphe {

/// What is chosen on the canvas, to be read and changed: a node, a wire, or the document itself. Everything in it comes
/// from declarations.
class InspectorPanel final : public QScrollArea {
    Q_OBJECT

public:
    explicit InspectorPanel(QWidget* parent = nullptr);

    void setDocument(OpenDocument* document);
    void showNodes(const std::vector<std::string>& names);
    void showWire(const WireSpec& wire);
    void showDocument();

private:
    void rebuild();
    void buildDocument();
    void buildNode(const NodeSpec& node);
    void buildWire(const WireSpec& wire);
    void buildProblems(const std::vector<LocatedProblem>& problems);
    void buildPorts(const NodeSpec& node, const DeclarationData& declaration);
    void buildTensors(const NodeSpec& node, const DeclarationData& declaration);
    void buildManual(const DeclarationData& declaration);
    void heading(const QString& text, const QString& small = {});
    void section(const QString& text);
    void paragraph(const QString& html);
    void field(const char* name, const QString& help);

    QPointer<OpenDocument> document_;
    std::string node_;
    std::vector<std::string> several_;
    std::optional<WireSpec> wire_;
    QVBoxLayout* layout_ = nullptr;
    QTimer later_; ///< the widget that asks for a change must not be deleted while it does
    QMetaObject::Connection connection_;
    bool manualOpen_ = false;
};

} // namespace raphe
