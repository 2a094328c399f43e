// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QIcon>

namespace raphe {

enum class Symbol {
    run,
    pause,
    step,
    stop,
    undo,
    redo,
    fit,
    arrange,
    add,
    save,
    open,
    back,
    backStep,
    forward,
    search,
    export_
};

/// A symbol in the present colours of the window, drawn rather than read from a file.
QIcon icon(Symbol symbol);

} // namespace raphe
