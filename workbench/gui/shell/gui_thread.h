// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

class QObject;

namespace raphe {

/// Has something done on the GUI's thread, between its events, in the order in which it was asked for. May be called
/// from every thread, and does not wait.
/// @param receiver  lives while this is called; if it is gone when the turn comes, nothing happens
void onGuiThread(QObject* receiver, std::function<void()> act);

} // namespace raphe
