-- SPDX-License-Identifier: Apache-2.0
-- Inside the Go/No-Go animals (Mei et al. 2025): what they choose and know of each stimulus, the landscape they cross, and
-- what becomes of them when dopamine, noradrenaline or the module that predicts is tampered with.
--
--   raphe lua scripts/learners/set_shift_probes.lua
--   options: --animals N  --out FOLDER  --threads N
--
-- All of it after a reversal: the go cue is A in the first 400 presentations and B from then on. Adapted and criterion as in
-- set_shift.lua.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local animals = require "animals"

local o = protocol.options({ animals = 100, out = "learners", threads = protocol.whole }, raphe.args)
local SHIFT, STEPS, effects, course = animals.shift, animals.steps, animals.effects, animals.course
local SCHEDULE, PAIRS = "400 A, 600 B", { "A X", "A Y", "B X", "B Y" }
local bars = {}
local function bar(text, met) bars[#bars + 1] = { text, met } end

-- What happens in the intact animals and in those without noradrenaline ----------------------------------------------

local INSIDE = {
    "task.correct", "task.go", "task.stimulus", "choice.action", "choice.probability", "dopamine.error", "locus_coeruleus.noradrenaline", "locus_coeruleus.burst",
    "locus_coeruleus.recent_surprise", "locus_coeruleus.expected_surprise", "bank.temperature", "bank.learning_rate", "actor.weights", "critic.weights",
}
local EXPOSED = { ["actor.inputs"] = 40, ["actor.expose_weights"] = true, ["critic.inputs"] = 40, ["critic.expose_weights"] = true }
local inside = {}
for name, own in pairs { ["DA only"] = { ["bank.effects"] = effects(0, 0) }, ["DA + NA"] = {} } do
    local settings = {}
    for _, list in ipairs { EXPOSED, own } do
        for key, value in pairs(list) do settings[key] = value end
    end
    inside[name] = animals.live(SCHEDULE, settings, { count = math.min(o.animals, 40), record = INSIDE, threads = o.threads })
end

--- By step and animal: what each of the stimuli A, B, X, Y adds to Go minus No-Go (or, of the critic, to the value).
local function ofStimuli(weights)
    local units, shape = weights.shape[3], weights.shape
    local sums = raphe.zeros { units, 4 }
    for row = 0, units // 40 - 1 do
        for input = 0, 39 do
            sums:set(row * 40 + input + 1, input // 10 + 1, (units == 40 and 1 or 2 * row - 1) / math.sqrt(20))
        end
    end
    return weights:reshape { shape[1] * shape[2], units }:matmul(sums):reshape { shape[1], shape[2], 4 }
end

local figure = protocol.figure { file = o.out .. "/set_shift_probes.svg" }
local function line(name, x, y, more)
    local series = { kind = "line", name = name, x = x, y = y }
    for key, value in pairs(more or {}) do series[key] = value end
    return series
end

-- Which animal to show: the first that has adapted with noradrenaline.
local shown = 1
for a, fate in ipairs(animals.adaptation(inside["DA + NA"]).fates) do
    if fate >= 0.9 then
        shown = a
        break
    end
end
for _, name in ipairs { "DA only", "DA + NA" } do
    local stimulus, action = inside[name]["task.stimulus"], inside[name]["choice.action"]
    local go, stay = { kind = "raster", name = "Go", x = {}, y = {}, height = 0.4 }, { kind = "raster", name = "No-Go", x = {}, y = {}, height = 0.4 }
    for t = 1, STEPS do
        local pair = 2 * stimulus:get(t, shown, 2) + stimulus:get(t, shown, 4)
        local answered = action:get(t, shown, 2) == 1
        local list = answered and go or stay
        list.x[#list.x + 1], list.y[#list.y + 1] = t - 1, pair + (answered and 0.2 or -0.2)
    end
    figure:panel("Choices of one animal, " .. name, "Presentation", { label = "Shown", categories = PAIRS }, { go, stay, { kind = "vline", at = SHIFT } }, { legend = "outside" })
end
do
    local r, one = inside["DA + NA"], {}
    for _, port in ipairs { "locus_coeruleus.recent_surprise", "locus_coeruleus.expected_surprise", "locus_coeruleus.noradrenaline", "bank.temperature", "bank.learning_rate", "dopamine.error" } do
        one[port] = r[port]:reshape { STEPS, r[port].shape[2] }:transpose()[shown]:totable()
    end
    local x = {}
    for t = 1, STEPS do x[t] = t - 1 end
    figure:panel("What makes the burst, same animal", "Presentation", "Level", {
        line("recent surprise", x, one["locus_coeruleus.recent_surprise"]), line("usual surprise (ACh)", x, one["locus_coeruleus.expected_surprise"]),
        line("noradrenaline", x, one["locus_coeruleus.noradrenaline"]),
    })
    local beta = {}
    for t = 1, STEPS do beta[t] = 1 / one["bank.temperature"][t] end
    figure:panel("What it reaches, same animal", "Presentation", "Value", {
        line("inverse temperature", x, beta), line("learning rate of the actor, factor", x, one["bank.learning_rate"]),
    })
    figure:panel("Dopamine, same animal", "Presentation", "Prediction error", { { kind = "points", name = "", x = x, y = one["dopamine.error"], size = 2 }, { kind = "vline", at = SHIFT } }, { legend = "none" })
end
do
    local series = {}
    for _, name in ipairs { "DA only", "DA + NA" } do
        for _, other in ipairs { false, true } do
            local x, y, entropies = {}, {}, animals.entropies(inside[name], other)
            for bin = 1, STEPS // 50 do
                x[bin], y[bin] = 50 * bin - 25, animals.entropy(entropies, 50 * bin - 49, 50 * bin)
            end
            series[#series + 1] = line(name .. (other and ", at the other" or ", at the go cue"), x, y, { group = name, style = other and "dot" or "solid" })
        end
    end
    figure:panel("Entropy of the choice", "Presentation", { label = "Entropy", unit = "bits", min = 0, max = 1.4 }, series)
end
local logits = {}
for _, name in ipairs { "DA only", "DA + NA" } do
    logits[name] = ofStimuli(inside[name]["actor.weights"])
    local x, series, values = {}, {}, ofStimuli(inside[name]["critic.weights"])
    for t = 1, STEPS do x[t] = t - 1 end
    for unit, letter in ipairs { "A", "B", "X", "Y" } do series[unit] = line(letter, x, course(logits[name], unit)) end
    figure:panel("Weights, Go minus No-Go, " .. name, "Presentation", "Mean of the animals", series)
    if name == "DA + NA" then
        local by_pair = {}
        local single = {}
        for unit = 1, 4 do single[unit] = course(values, unit) end
        for index, pair in ipairs(PAIRS) do
            local y = {}
            for t = 1, STEPS do y[t] = single[(index - 1) // 2 + 1][t] + single[3 + (index - 1) % 2][t] end
            by_pair[index] = line(pair, x, y)
        end
        figure:panel("Expected reward of each pair, " .. name, "Presentation", "Mean of the animals", by_pair)
    end
end
do
    local series = {}
    for _, name in ipairs { "DA only", "DA + NA" } do
        for a = 1, math.min(8, o.animals) do
            local x, y = {}, {}
            for t = SHIFT, STEPS, 5 do x[#x + 1], y[#y + 1] = logits[name]:get(t, a, 1), logits[name]:get(t, a, 2) end
            series[#series + 1] = line(a == 1 and name or nil, x, y, { group = name, width = 1 })
            series[#series + 1] = { kind = "points", group = name, x = { x[#x] }, y = { y[#y] }, size = 4 }
        end
    end
    figure:panel("The landscape, from the shift on", "Go minus No-Go for the old cue", "Go minus No-Go for the new cue", series)
end

-- What becomes of them ------------------------------------------------------------------------------------------------

local NA, DA = "locus_coeruleus.noradrenaline", "dopamine.error"
local BLOCKED = { ["locus_coeruleus.theta"] = 1e9 } -- the module that predicts never calls
local function burst(step) return { port = NA, operation = "clamp", value = 1, from = step, to = step + 1 } end
local function settings(base, more)
    local result = {}
    for _, list in ipairs { base, more } do
        for key, value in pairs(list) do result[key] = value end
    end
    return result
end
local WATCH = { "task.correct", "locus_coeruleus.burst" }
local function fate(parameters, interventions)
    local r = animals.live(SCHEDULE, parameters, { count = o.animals, record = WATCH, interventions = interventions, threads = o.threads })
    local m = animals.adaptation(r)
    m.bursts = animals.bursts(r, SHIFT + 1, STEPS)
    return m
end
local function row(name, m)
    print(string.format("| %-44s | %.3f | %.3f | %.3f | %.2f | %s | %.2f |", name, m.pre, m.first, m.last, m.adapted, animals.shown_criterion(m.criterion), m.bursts))
end
print(string.format("Reversal, %d animals", o.animals))
print("| what is done                                 | before | first 50 | last 100 | adapted | criterion | bursts |")
print("|----------------------------------------------|-------|-------|-------|------|-----|------|")
local found = {}
for _, case in ipairs {
    { "nothing", {}, {} },
    { "noradrenaline lesioned", {}, { { port = NA, operation = "lesion" } } },
    { "noradrenaline reaches nothing", { ["bank.effects"] = effects(0, 0) }, {} },
    { "dopamine lesioned from the shift on", {}, { { port = DA, operation = "lesion", from = SHIFT } } },
    { "tonic noradrenaline 0.1", {}, { { port = NA, operation = "clamp", value = 0.1 } } },
    { "tonic noradrenaline 1", {}, { { port = NA, operation = "clamp", value = 1 } } },
    { "module that predicts blocked", BLOCKED, {} },
    { "blocked, burst triggered at the shift", BLOCKED, { burst(SHIFT) } },
    { "burst triggered 200 before the shift", {}, { burst(SHIFT - 200) } },
    { "serotonin: 0.5 in favour of No-Go", {}, { { port = "actor.output", component = 0, operation = "perturb", value = 0.5 } } },
    { "serotonin: 1 in favour of No-Go", {}, { { port = "actor.output", component = 0, operation = "perturb", value = 1 } } },
} do
    found[case[1]] = fate(case[2], case[3])
    row(case[1], found[case[1]])
end
local lesioned, silent, blocked = found["noradrenaline lesioned"], found["noradrenaline reaches nothing"], found["module that predicts blocked"]
bar("a lesion of noradrenaline is the same as noradrenaline that reaches nothing", lesioned.accuracy[STEPS] == silent.accuracy[STEPS] and lesioned.last == silent.last and lesioned.adapted == silent.adapted)
bar("with the module that predicts blocked they stay at the old optimum", blocked.adapted <= 0.15)
bar(string.format("a burst triggered from outside replaces it (adapted %.2f)", found["blocked, burst triggered at the shift"].adapted), found["blocked, burst triggered at the shift"].adapted >= 0.85)
bar("without dopamine nothing is learned after the shift", found["dopamine lesioned from the shift on"].adapted <= 0.15)

local function sweep(title, axis, values, make)
    local x, y, recovery = {}, {}, {}
    print(string.format("\n| %s | adapted | criterion |\n|---|---|---|", title))
    for i, value in ipairs(values) do
        local parameters, interventions = make(value)
        local m = fate(parameters, interventions or {})
        x[i], y[i], recovery[i] = value, m.adapted, m.criterion
        print(string.format("| %g | %.2f | %s |", value, m.adapted, animals.shown_criterion(m.criterion)))
    end
    figure:panel(title, axis, { label = "Share that adapts", min = 0, max = 1.05 }, { line(nil, x, y, { markers = true }) }, { legend = "none" })
    return x, y, recovery
end
local delays, _, recovery = sweep("Burst triggered with a delay", { label = "Delay after the shift", unit = "presentations" }, { 0, 25, 50, 100, 200, 300 },
    function(delay) return BLOCKED, { burst(SHIFT + delay) } end)
do -- recovery from the shift on, against the delay
    local x, y = {}, {}
    for i, criterion in ipairs(recovery) do
        if criterion < math.huge then x[#x + 1], y[#y + 1] = delays[i], criterion end
    end
    figure:panel("Recovery and delay", { label = "Delay after the shift", unit = "presentations" }, { label = "Criterion", unit = "presentations" },
        { line("criterion", x, y, { markers = true }), line("the delay itself", x, x, { style = "dot" }) })
    bar("the later the burst, the later the recovery", #y >= 3 and y[#y] > y[1] + 0.5 * (x[#x] - x[1]))
end
sweep("Decay time of noradrenaline", { label = "tau", unit = "presentations" }, { 5, 10, 20, 40, 80, 160 }, function(tau) return { ["locus_coeruleus.decay_time"] = tau } end)
local _, gain = sweep("Dose on gain, k_beta (k_eta 0)", "k_beta", { 0, 1, 3, 6, 9, 18 }, function(k) return { ["bank.effects"] = effects(k, 0) } end)
sweep("Dose on plasticity, k_eta (k_beta 9)", "k_eta", { 0, 1, 3, 6, 12 }, function(k) return { ["bank.effects"] = effects(9, k) } end)
bar("more noradrenaline on gain, more animals adapt (0 to 9)", gain[1] <= 0.15 and gain[5] >= 0.8 and gain[5] > gain[2])
do
    local names, y = { "neither", "plasticity", "gain", "both" }, {}
    for i, k in ipairs { { 0, 0 }, { 0, 3 }, { 9, 0 }, { 9, 3 } } do y[i] = fate({ ["bank.effects"] = effects(k[1], k[2]) }, {}).adapted end
    print(string.format("\n2 x 2: adapted %.2f with neither, %.2f on plasticity, %.2f on gain, %.2f on both", table.unpack(y)))
    figure:panel("Noradrenaline on gain and plasticity", { label = "Reaches", categories = names }, { label = "Share that adapts", min = 0, max = 1.05 }, { { kind = "bars", x = { 0, 1, 2, 3 }, y = y } }, { legend = "none" })
end

print()
local passed = protocol.bars(bars)
figure:draw()
return passed and 0 or 1
