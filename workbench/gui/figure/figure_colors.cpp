// SPDX-License-Identifier: GPL-3.0-or-later
#include "figure_colors.h"

#include "figure_palette.h"
#include "figure_style.h"

#include <algorithm>
#include <set>

namespace raphe {
namespace {

/// What takes no colour of the palette of its own accord.
bool neutral(const FigureSeries& series) {
    if (std::holds_alternative<FigureHeatmap>(series.data)) return true;
    if (std::holds_alternative<FigureReference>(series.data)) return true;
    return std::holds_alternative<FigureRaster>(series.data) && ColorDealer::key(series).empty();
}

} // namespace

ColorDealer::ColorDealer(const FigureDescription& figure, const FigureInks& inks) : inks_{inks} {
    const auto& palette = inks.dark ? darkFigurePalette : figurePalette;
    std::map<std::string, std::set<std::size_t>> panelsOf;
    for (std::size_t panel = 0; panel < figure.panels.size(); ++panel) {
        for (const FigureSeries& series : figure.panels[panel].series) {
            const std::string& name = key(series);
            if (name.empty()) continue;
            panelsOf[name].insert(panel);
            if (series.color) chosen_.try_emplace(name, FigureLook{toColor(*series.color)});
        }
    }
    std::vector<std::set<std::size_t>> taken(figure.panels.size()); // entries of the palette, by panel
    const auto deal = [&taken, &palette](const std::set<std::size_t>& panels) {
        std::size_t entry = 0;
        while (
            std::any_of(panels.begin(), panels.end(), [&](std::size_t panel) { return taken[panel].count(entry) > 0; }))
            ++entry;
        for (const std::size_t panel : panels) taken[panel].insert(entry);
        const Qt::PenStyle strokes[] = {Qt::SolidLine, Qt::DashLine, Qt::DotLine};
        return FigureLook{toColor(palette[entry % palette.size()]), strokes[entry / palette.size() % 3]};
    };
    for (std::size_t panel = 0; panel < figure.panels.size(); ++panel) {
        for (const FigureSeries& series : figure.panels[panel].series) {
            const std::string& name = key(series);
            if (neutral(series) || (!name.empty() && chosen_.count(name))) continue;
            if (!name.empty())
                chosen_[name] = deal(panelsOf[name]);
            else if (!series.color)
                unnamed_[&series] = deal({panel});
        }
    }
}

FigureLook ColorDealer::look(const FigureSeries& series) const {
    FigureLook look;
    const auto named = chosen_.find(key(series));
    const auto unnamed = unnamed_.find(&series);
    if (named != chosen_.end())
        look = named->second;
    else if (unnamed != unnamed_.end())
        look = unnamed->second;
    else
        look.color = std::holds_alternative<FigureReference>(series.data) ? inks_.reference : inks_.text;
    look.inks = &inks_;
    if (series.color) look.color = toColor(*series.color);
    std::visit(
        [&look](const auto& data) {
            if constexpr (requires { data.stroke; }) {
                switch (data.stroke) {
                case FigureStroke::automatic:
                    break;
                case FigureStroke::solid:
                    look.stroke = Qt::SolidLine;
                    break;
                case FigureStroke::dash:
                    look.stroke = Qt::DashLine;
                    break;
                case FigureStroke::dot:
                    look.stroke = Qt::DotLine;
                    break;
                }
            }
        },
        series.data);
    return look;
}

const std::string& ColorDealer::key(const FigureSeries& series) {
    return series.group.empty() ? series.name : series.group;
}

QCPColorGradient gradientOf(FigureColorMap map) {
    QCPColorGradient gradient;
    gradient.clearColorStops();
    const auto stops = [&gradient](std::initializer_list<const char*> colors) {
        double i = 0;
        for (const char* color : colors)
            gradient.setColorStopAt(i++ / static_cast<double>(colors.size() - 1), QColor{color});
    };
    switch (map) {
    case FigureColorMap::viridis:
        stops({"#440154", "#482475", "#414487", "#355F8D", "#2A788E", "#21918C", "#22A884", "#44BF70", "#7AD151",
               "#BDDF26", "#FDE725"});
        break;
    case FigureColorMap::diverging:
        for (std::size_t i = 0; i < divergingStops.size(); ++i)
            gradient.setColorStopAt(static_cast<double>(i) / (divergingStops.size() - 1), toColor(divergingStops[i]));
        break;
    case FigureColorMap::gray:
        stops({"#FFFFFF", "#000000"});
        break;
    }
    gradient.setNanHandling(QCPColorGradient::nhTransparent);
    return gradient;
}

} // namespace raphe
