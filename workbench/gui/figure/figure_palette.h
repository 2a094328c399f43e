// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"

#include <array>

namespace raphe {

/// Okabe and Ito's colours, which people of all kinds of colour vision tell apart; those with most contrast first.
inline constexpr std::array<FigureColor, 8> figurePalette{{{0x00, 0x72, 0xB2},
                                                           {0xD5, 0x5E, 0x00},
                                                           {0x00, 0x9E, 0x73},
                                                           {0xCC, 0x79, 0xA7},
                                                           {0xE6, 0x9F, 0x00},
                                                           {0x56, 0xB4, 0xE9},
                                                           {0x00, 0x00, 0x00},
                                                           {0xF0, 0xE4, 0x42}}};

} // namespace raphe
