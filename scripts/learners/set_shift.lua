-- SPDX-License-Identifier: Apache-2.0
-- Go/No-Go set shifting (Mei et al. 2025, Fig. 3): dopamine alone stays at the old optimum when the go cue changes; with
-- noradrenaline, which bursts at surprise above what is usual, animals explore and learn anew. Every trial of a batch is an animal.
--
--   raphe lua scripts/learners/set_shift.lua              all conditions, reversal and shift of dimension, 200 animals
--   raphe lua scripts/learners/set_shift.lua --repeated   also ten phases of 300 presentations
--   options: --animals N  --out FOLDER  --threads N
--
-- An animal has adapted if at least 90 of its last 100 answers are correct. Criterion: presentations after the shift until 18 of the
-- last 20 were correct (median over animals). H: entropy of the choice at the go cue of the phase, in bits.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local animals = require "animals"

local o = protocol.options({ animals = 200, repeated = false, out = "learners", threads = protocol.whole }, raphe.args)
local SHIFT, STEPS, effects, mean = animals.shift, animals.steps, animals.effects, animals.mean

local conditions = {
    { "DA only", { ["bank.effects"] = effects(0, 0) } },
    { "DA + NA", {} },
    { "NA on gain only", { ["bank.effects"] = effects(9, 0) } },
    { "NA on plasticity only", { ["bank.effects"] = effects(0, 3) } },
    { "DA only, eta x 2", { ["bank.effects"] = effects(0, 0), ["actor.learning_rate"] = 0.6 } },
    { "DA only, beta 0.3", { ["bank.effects"] = "temperature linear NA base 3.333333333333 gain 0; learning_rate linear NA base 1 gain 0" } },
    { "DA only, beta 0.1", { ["bank.effects"] = "temperature linear NA base 10 gain 0; learning_rate linear NA base 1 gain 0" } },
    { "DA only, flip 0.1", { ["bank.effects"] = effects(0, 0), ["task.flip"] = 0.1 } },
    { "DA + NA, flip 0.1", { ["task.flip"] = 0.1 } },
}
local RECORD = { "task.correct", "task.go", "choice.probability", "locus_coeruleus.noradrenaline", "locus_coeruleus.burst" }

local function simulate(schedule, settings)
    return animals.live(schedule, settings, { count = o.animals, record = RECORD, threads = o.threads })
end

--- What the table and the bars need of one condition.
local function measure(signals)
    local m = animals.adaptation(signals)
    m.noradrenaline = animals.course(signals["locus_coeruleus.noradrenaline"])
    m.early, m.quiet = animals.bursts(signals, 1, SHIFT)
    m.entropy, m.entropies = {}, animals.entropies(signals)
    for i, window in ipairs { { SHIFT - 99, SHIFT }, { SHIFT + 1, SHIFT + 50 }, { SHIFT + 51, SHIFT + 150 }, { STEPS - 99, STEPS } } do
        m.entropy[i] = animals.entropy(m.entropies, window[1], window[2])
    end
    return m
end

local results = {}
for _, shift in ipairs { { "reversal", "400 A, 600 B" }, { "dimension", "400 A, 600 X" } } do
    local table_ = {}
    print(string.format("\n%s (%s)", shift[1], shift[2]))
    print("| condition             | pre  | first 50 | last 100 | adapted | criterion | H: pre, 0-50, 50-150, end |")
    print("|-----------------------|------|----------|----------|---------|-----------|---------------------------|")
    for _, condition in ipairs(conditions) do
        local m = measure(simulate(shift[2], condition[2]))
        table_[condition[1]] = m
        print(string.format("| %-21s | %.3f | %.3f | %.3f | %.2f | %s | %.2f %.2f %.2f %.2f |", condition[1], m.pre, m.first, m.last, m.adapted,
            animals.shown_criterion(m.criterion), table.unpack(m.entropy)))
    end
    results[shift[1]] = table_
end
print(string.format("\n%d animals x %d presentations x %d conditions: %.2f s of computing", o.animals, STEPS, 2 * #conditions, animals.computing))

local da, na = results.reversal["DA only"], results.reversal["DA + NA"]
local da2, na2 = results.dimension["DA only"], results.dimension["DA + NA"]
local passed = protocol.bars {
    { string.format("reversal, DA only: adapted <= 0.15 (%.2f)", da.adapted), da.adapted <= 0.15 },
    { string.format("reversal, DA + NA: adapted >= 0.85 (%.2f)", na.adapted), na.adapted >= 0.85 },
    { string.format("dimension, DA only: adapted in 0.3 ... 0.8 (%.2f)", da2.adapted), da2.adapted >= 0.3 and da2.adapted <= 0.8 },
    { string.format("dimension, DA + NA: adapted >= 0.95 (%.2f)", na2.adapted), na2.adapted >= 0.95 },
    { string.format("dimension, criterion: DA + NA below half of DA only (%g to %g)", na2.criterion, da2.criterion), na2.criterion < 0.5 * da2.criterion },
    { string.format("no burst before the shift in 95 %% of the animals (%.3f)", na.quiet), na.quiet >= 0.95 },
    { string.format("H at the go cue in the 50 presentations after the reversal: DA + NA at least 0.4 above DA only (%.2f to %.2f)", na.entropy[2], da.entropy[2]),
        na.entropy[2] >= da.entropy[2] + 0.4 },
    { string.format("and back below 0.15 at the end (%.2f)", na.entropy[4]), na.entropy[4] < 0.15 },
    { string.format("reversal, plasticity only: adapted <= 0.2 (%.2f)", results.reversal["NA on plasticity only"].adapted), results.reversal["NA on plasticity only"].adapted <= 0.2 },
    { string.format("reversal, gain only: adapted >= 0.8 (%.2f)", results.reversal["NA on gain only"].adapted), results.reversal["NA on gain only"].adapted >= 0.8 },
}

-- Figure: accuracy around the shift, noradrenaline, and how each animal ends.
local function smoothed(values) return animals.binned(values, 25) end
local panels = {}
for _, shift in ipairs { "reversal", "dimension" } do
    local series = {}
    for _, name in ipairs { "DA only", "DA + NA", "NA on gain only", "NA on plasticity only" } do
        local x, y = smoothed(results[shift][name].accuracy)
        series[#series + 1] = { kind = "line", name = name, x = x, y = y }
    end
    panels[#panels + 1] = { title = "Go cue changes at 400: " .. shift, x = { label = "Presentation" }, y = { label = "Share correct" }, series = series }
end
local x, y = smoothed(na.noradrenaline)
panels[#panels + 1] = { title = "Noradrenaline, reversal", x = { label = "Presentation" }, y = { label = "Mean level" }, series = { { kind = "line", name = "DA + NA", x = x, y = y } } }
do
    local series = {}
    for _, name in ipairs { "DA only", "DA + NA" } do
        local ex, ey = {}, {}
        for bin = 1, STEPS // 25 do ex[bin], ey[bin] = 25 * bin - 12.5, animals.entropy(results.reversal[name].entropies, 25 * bin - 24, 25 * bin) end
        series[#series + 1] = { kind = "line", name = name, x = ex, y = ey }
    end
    panels[#panels + 1] = { title = "Entropy of the choice at the go cue", x = { label = "Presentation" }, y = { label = "Entropy", unit = "bits" }, series = series }
end
local dots = {}
for index, name in ipairs { "DA only", "DA + NA" } do
    local px, py = {}, {}
    for a, fate in ipairs(results.dimension[name].fates) do px[a], py[a] = index - 1 + 0.3 * (a / o.animals - 0.5), fate end
    dots[index] = { kind = "points", name = name, x = px, y = py }
end
panels[#panels + 1] = { title = "Each animal's last 100, dimension", x = { label = "Condition", categories = { "DA only", "DA + NA" } }, y = { label = "Share correct" }, series = dots, legend = "none" }

if o.repeated then
    local phases = {}
    for i = 1, 10 do phases[i] = "300 " .. ({ "A", "B", "X", "Y" })[(i - 1) % 4 + 1] end
    local series = {}
    for _, condition in ipairs { conditions[1], conditions[2] } do
        local signals = simulate(table.concat(phases, ", "), condition[2])
        local values = animals.course(signals["task.correct"])
        local px, py = smoothed(values)
        series[#series + 1] = { kind = "line", name = condition[1], x = px, y = py }
        local ends = {}
        for i = 1, 10 do ends[i] = string.format("%.2f", mean(values, 300 * i - 99, 300 * i)) end
        print(string.format("repeated shifts, %s: share correct in the last 100 of each phase: %s", condition[1], table.concat(ends, " ")))
    end
    panels[#panels + 1] = { title = "Repeated shifts", x = { label = "Presentation" }, y = { label = "Share correct" }, series = series }
end
local picture = o.out .. "/set_shift.svg"
raphe.plot { file = picture, layout = { rows = math.ceil(#panels / 2), columns = 2 }, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
