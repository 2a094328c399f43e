// SPDX-License-Identifier: Apache-2.0
#include "raphe/plugin.h"

#ifdef BROKEN_UNDEFINED_SYMBOL
extern "C" int raphe_symbol_that_nobody_defines();
extern "C" __attribute__((visibility("default"))) int usesIt() { return raphe_symbol_that_nobody_defines(); }
#endif

namespace {

struct NothingParams {
    int units = 1;
};

template <class T>
class Nothing final : public raphe::Model<T> {
public:
    static auto declare() {
#ifdef BROKEN_THROWING
        if (true) throw std::runtime_error("the coffee machine is on fire");
#endif
        return raphe::Declaration<NothingParams>{"nothing", "1.0.0", "Does nothing"}
            .param("units", &NothingParams::units, {.help = "Units", .min = 1})
            .output("output", "units", {.help = "Zero"});
    }
    Nothing(const NothingParams&, raphe::Builder& b) : output_(b.output("output")) {}
    void step(raphe::Step<T>& s) const override {
        auto y = s.destination(output_);
        y.array().setZero();
        s.emit(output_, y);
    }

private:
    raphe::Output output_;
};

} // namespace

#ifdef BROKEN_STALE
extern "C" __attribute__((visibility("default"))) const raphe::PluginExport raphe_plugin = {
    "sdk=0;from=another age", "stale", "1.0.0", "Apache-2.0", &raphe::detail::appendEntries<Nothing>};
#elif !defined(BROKEN_NO_EXPORT)
RAPHE_PLUGIN(Nothing)
#endif
