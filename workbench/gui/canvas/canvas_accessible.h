// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace raphe {

/// Makes nodes and ports of graphs known to screen readers: a view has its nodes as children, a node its ports.
void installCanvasAccessibility();

} // namespace raphe
