// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/document/experiment.h"
#include "engine/mechanisms/registry.h"
#include "lua/lua_host.h"

#include <QString>
#include <QStringList>

namespace raphe {

/// What may stand where one types.
struct Completion {
    int typed = 0; ///< letters before the caret that belong to it already
    QStringList words;
};

/// What completion knows.
struct CompletionSource {
    LuaVocabulary vocabulary;
    const Registry* registry = nullptr;
    const Experiment* experiment = nullptr; ///< the open document's; null: none is open
};

/// @param before  the text up to the caret
Completion completionAt(const QString& before, const CompletionSource& source);

/// "connect(from, to, [delay])\nwhat it does" of a command; empty if there is none of this name.
QString callTip(const QString& method);

} // namespace raphe
