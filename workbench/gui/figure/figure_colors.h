// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "figure_description.h"
#include "figure_plottables.h"

#include <map>
#include <string>

namespace raphe {

/// Deals out colours: series of the same group, or name, have the same colour in all panels; within a panel, different
/// groups have different colours as long as the palette lasts, and different strokes beyond.
class ColorDealer {
public:
    ColorDealer(const FigureDescription& figure, const FigureInks& inks);
    const FigureInks& inks() const { return inks_; }
    FigureLook look(const FigureSeries& series) const;
    /// What series have in common that share a colour; empty for a series on its own.
    static const std::string& key(const FigureSeries& series);

private:
    const FigureInks& inks_;
    std::map<std::string, FigureLook> chosen_;
    std::map<const FigureSeries*, FigureLook> unnamed_;
};

/// The colours that a heat map runs through.
QCPColorGradient gradientOf(FigureColorMap map);

} // namespace raphe
