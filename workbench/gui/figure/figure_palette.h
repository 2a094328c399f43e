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

/// From the most negative value through zero to the most positive one.
inline constexpr std::array<FigureColor, 9> divergingStops{{{0x21, 0x66, 0xAC},
                                                            {0x43, 0x93, 0xC3},
                                                            {0x92, 0xC5, 0xDE},
                                                            {0xD1, 0xE5, 0xF0},
                                                            {0xF7, 0xF7, 0xF7},
                                                            {0xFD, 0xDB, 0xC7},
                                                            {0xF4, 0xA5, 0x82},
                                                            {0xD6, 0x60, 0x4D},
                                                            {0xB2, 0x18, 0x2B}}};

/// The same hues for dark paper.
inline constexpr std::array<FigureColor, 8> darkFigurePalette{{{0x4F, 0xA8, 0xE0},
                                                               {0xF5, 0x84, 0x3C},
                                                               {0x2F, 0xC5, 0x9A},
                                                               {0xE3, 0x9C, 0xC6},
                                                               {0xF2, 0xB3, 0x3D},
                                                               {0xA8, 0xD8, 0xF5},
                                                               {0xF0, 0xF0, 0xF0},
                                                               {0xF0, 0xE4, 0x42}}};

} // namespace raphe
