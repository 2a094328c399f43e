// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "raphe/declaration.h"

#include <QString>

namespace raphe {

/// A line of an equation as it stands in a manual, with its symbols set: "x_i(t) = R^T h" has an index and an exponent,
/// "tau" is a Greek letter, ".*" the product of elements.
QString equationHtml(const QString& line);
/// The manual of a mechanism and its paper. Equations stand out from the text.
QString manualHtml(const DeclarationData& declaration);

} // namespace raphe
