// SPDX-License-Identifier: Apache-2.0
#include "models/neuromodulator_bank/neuromodulator_bank.h"

#include "model_driver.h"

namespace raphe::test {
namespace {

using Driver = ModelDriver<NeuromodulatorBank, double>;

Driver::Setup setup(const std::string& channels, const std::string& effects, const std::string& interactions, int units,
                    int width = 1) {
    return {{{"channels", channels}, {"effects", effects}, {"interactions", interactions}, {"width", integer(width)}},
            {{"source", units}}};
}

std::string sentence(const std::string& channels, const std::string& effects, const std::string& interactions = "") {
    const auto declaration = entryOf<NeuromodulatorBank>().declaration;
    auto values = declaration.defaults();
    values["channels"] = channels;
    values["effects"] = effects;
    values["interactions"] = interactions;
    return declaration.check(values);
}

TEST(NeuromodulatorBank, OfAllFormsAndInteractionsHasExactGradients) {
    Driver d(setup(
        "A tau_tonic 3 w_phasic 0.5 tau_phasic 4 threshold -5 baseline 2; B tau_tonic 2 baseline 3; C baseline 2",
        "learning_rate ratio A B; temperature linear A base 0.5 gain 2; discount exp B base 0.9 gain -0.1; gain hill "
        "C gain 2 half 0.5 exponent 2; bias reciprocal A epsilon 0.1; threshold divide B base 2 gain 0.3; "
        "temperature divide C base 2 gain 0.4; plasticity exp A gain 0.2; plasticity linear B base 3 gain 0.1",
        "A modulates B; C opposes A gain 0.3; B modulates A", 6, 2));
    d.expectGradients(1e-6);
}

TEST(NeuromodulatorBank, ConvergesByMultiplyingRatiosToBase) {
    Driver both(setup("A; B", "gain linear A base 2 gain 1; gain exp B base 4 gain 0.5", "", 2)),
        first(setup("A; B", "gain linear A base 2 gain 1", "", 2)),
        second(setup("A; B", "gain exp B base 4 gain 0.5", "", 2));
    for (auto* d : {&both, &first, &second}) {
        d->input("source") = both.input("source");
        d->initial = both.initial;
        d->sweep(false);
    }
    for (std::size_t i = 0; i < both.output("gain").size(); ++i)
        EXPECT_NEAR(both.output("gain")[i], first.output("gain")[i] * second.output("gain")[i] / 4, 1e-12);
}

TEST(NeuromodulatorBank, InteractsByTheLevelsOfTheStepBefore) {
    Driver d(setup("A; B", "gain linear A", "A modulates B; B opposes A gain 0.5", 2));
    for (auto& state : d.initial) std::fill(state.begin(), state.end(), 0.0);
    d.initial[2] = {2, 3, 0, 0, 0, 0}; // levels of A and B in the first of three trials
    d.sweep(false);
    EXPECT_NEAR(d.output("level")[1], d.input("source")[1] * 2, 1e-12);
    EXPECT_NEAR(d.output("level")[0], d.input("source")[0] - 0.5 * 3, 1e-12);
}

TEST(NeuromodulatorBank, SaysWhatItCannotRead) {
    EXPECT_EQ(sentence("DA; NA", "learning_rate linear DA"), "");
    const auto expect = [](const std::string& text, const char* part) {
        EXPECT_NE(text.find(part), std::string::npos) << text;
    };
    expect(sentence("", "gain linear A"), "channels");
    expect(sentence("A; A", "gain linear A"), "\"A\" is named twice");
    expect(sentence("A tau 3", "gain linear A"), "no setting \"tau\"");
    expect(sentence("A tau_tonic 0.5", "gain linear A"), "expected at least 1, got 0.5");
    expect(sentence("A low", "gain linear A"), "expected a number");
    expect(sentence("A", "gaim linear A"), "there is no \"gaim\"; choose one of learning_rate");
    expect(sentence("A", "gain square A"), "choose one of linear, exp");
    expect(sentence("A", "gain linear B"), "the channels are A");
    expect(sentence("A", "gain ratio A"), "two channels");
    expect(sentence("A", "gain linear A low 2 high 1"), "low lies above high");
    expect(sentence("A", "gain linear A base 0; gain exp A"), "must not be 0");
    expect(sentence("A; B", "gain linear A", "A helps B"), "A modulates B");
    expect(sentence("A; B", "gain linear A", "A modulates C"), "no channel \"C\"");
    expect(sentence("A; B", "gain linear A", "A modulates B gain 2"), "no setting \"gain\"");
}

TEST(NeuromodulatorBank, ReadsAnyText) {
    Stream random(3, 1, 0, 0, 0);
    const std::string letters = "AB; gain linear ratio base 1 -2e9 low high modulates opposes \t\n\"";
    for (int i = 0; i < 3000; ++i) {
        std::string text[3];
        for (auto& t : text)
            for (std::uint32_t n = random.integer(40); n > 0; --n)
                t += letters[random.integer(static_cast<std::uint32_t>(letters.size()))];
        sentence("A; B; " + text[0], "gain linear A; " + text[1], text[2]);
    }
}

} // namespace
} // namespace raphe::test
