// SPDX-License-Identifier: Apache-2.0
// Passes of a layer of long short-term memory.
#include "../../plugins/models/lstm/lstm.h"
#include "gated_layer.h"

int main(int argc, char** argv) {
    return raphe::gated::program<raphe::Lstm, raphe::LstmParams>(
        argc, argv, {{15, 3, 20}, {50, 3, 25}, {100, 5, 25}, {200, 200, 20}});
}
