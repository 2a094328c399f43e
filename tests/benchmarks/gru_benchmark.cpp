// SPDX-License-Identifier: Apache-2.0
// Passes of a layer of gated recurrent units.
#include "../../plugins/models/gru/gru.h"
#include "gated_layer.h"

int main(int argc, char** argv) {
    return raphe::gated::program<raphe::Gru, raphe::GruParams>(argc, argv,
                                                               {{50, 3, 13}, {50, 3, 25}, {100, 5, 25}, {75, 100, 25}});
}
