// SPDX-License-Identifier: GPL-3.0-or-later
// QScintilla's editor. Its headers say "signals" and "slots", which are no keywords here (QT_NO_KEYWORDS).
#pragma once

#define signals Q_SIGNALS
#define slots Q_SLOTS
#include <Qsci/qscicommand.h>
#include <Qsci/qscicommandset.h>
#include <Qsci/qscilexerlua.h>
#include <Qsci/qsciscintilla.h>
#include <Qsci/qscistyle.h>
#undef signals
#undef slots
