// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QPlainTextEdit;

namespace raphe {

/// A field that shows what scripts print; the oldest lines go when there are very many.
QPlainTextEdit* makeScriptOutput();
/// @param bad  in the colour of errors
void appendOutput(QPlainTextEdit& field, const QString& text, bool bad = false, bool faint = false);

} // namespace raphe
