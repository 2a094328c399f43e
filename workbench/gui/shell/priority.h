// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace raphe {

/// Lets the calling thread, and those that it starts from now on, step back behind the window where both want a core:
/// drawing takes little, but at once. Where the system has no such notion, nothing happens.
void stepBackBehindTheWindow();

} // namespace raphe
