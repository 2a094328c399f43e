// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "engine/mechanisms/registry.h"

#include <QString>

#include <string>
#include <vector>

namespace raphe {

struct ShippedVariant {
    std::string name, doc;
};

/// An experiment that comes with Raphe, with those that extend it.
struct ShippedExperiment {
    std::string name, doc;
    QString paper; ///< "Miconi et al. 2019"
    std::vector<ShippedVariant> variants;
};

/// In alphabetical order; a document that cannot be read is left out.
std::vector<ShippedExperiment> shippedExperiments(const Registry& registry);

} // namespace raphe
