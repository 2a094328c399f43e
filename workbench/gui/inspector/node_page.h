// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "gui/inspector/inspector_page.h"

namespace raphe {

/// A node: its parameters, ports and tensors, what intervenes on it, and the equations of its mechanism. Everything in
/// it comes from the declaration.
class NodePage final : public InspectorPage {
    Q_OBJECT

public:
    /// @param manualOpen  whether the equations are shown; kept by whoever makes the page anew
    NodePage(OpenDocument& document, const NodeSpec& node, bool& manualOpen);

Q_SIGNALS:
    void renamed(const QString& to);

private:
    void name(const NodeSpec& node);
    void parameters(const NodeSpec& node, const DeclarationData& declaration);
    void ports(const NodeSpec& node, const DeclarationData& declaration);
    void tensors(const NodeSpec& node, const DeclarationData& declaration);
    void manual(const DeclarationData& declaration, bool& open);
};

/// A wire: what it carries, when it delivers, and what intervenes on its signal.
class WirePage final : public InspectorPage {
    Q_OBJECT

public:
    WirePage(OpenDocument& document, const WireSpec& wire);
};

} // namespace raphe
