-- SPDX-License-Identifier: Apache-2.0
-- Variants of the NM-RNN on Measure-Wait-Go (programs of Costacurta et al. 2024): a network of several regions in which dopamine acts on
-- the striatum, and one whose synapses have gates. Does the runs of the study mwg_variants that are missing, takes the modulation away
-- from the trained networks, and draws regions and outputs. Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/nm_rnn/variants.lua             4000 iterations, 3 seeds
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local SHOWN = { 8, 10, 12, 14, 16, 18, 20, 22 }
-- What takes the modulation away: all gains 1; all gates half open.
local OFF = {
    multiregion = { { port = "receptors.gain", operation = "clamp", value = 1 } },
    synapse_gated = { { port = "gate.output", operation = "clamp", value = 0 } },
}

local o = protocol.options({ seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local folder = o.out ~= "" and o.out or "studies/mwg_variants"
local study = raphe.study("mwg_variants", { out = folder, seeds = o.seeds, iterations = o.iterations })
local counted = study:run { workers = o.workers }
if counted.done < counted.total then
    print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
    return 1
end
local results = study:results()

local function session_of(run) return raphe.open_run(study:folder_of(run.id)).session { threads = 1 } end

print("| network       | seed | loss    | without modulation | factor |")
print("|---------------|------|---------|--------------------|--------|")
local factors, best = {}, nil
for _, run in ipairs(results.runs) do
    local s = session_of(run)
    local whole, off = s:evaluate {}.metrics.loss, s:evaluate { interventions = OFF[run.variant] }.metrics.loss
    print(string.format("| %-13s | %4d | %7.1e | %18.1e | %6.1f |", run.variant, run.seed, whole, off, off / whole))
    local list = factors[run.variant] or {}
    factors[run.variant] = list
    list[#list + 1] = off / whole
    if run.variant == "multiregion" and (not best or whole < best.loss) then best = { run = run, loss = whole } end
end

local bars = {}
for _, bar in ipairs(results.bars) do bars[#bars + 1] = { bar.bar, bar.met } end
for _, variant in ipairs { "multiregion", "synapse_gated" } do
    local median = raphe.statistics.median(factors[variant])
    bars[#bars + 1] = { string.format("without modulation the loss of %s grows (median factor %.1f)", variant, median), median > 1 }
end
local passed = protocol.bars(bars)

-- Figure: the regions of the best network, measured at 15, and its outputs with and without dopamine's effect.
local set = { ["task.intervals"] = SHOWN, ["task.measure_first"] = 15, ["task.measure_last"] = 15 }
local s = session_of(best.run)
local ports = { "cortex.hidden", "striatum.hidden", "thalamus.hidden", "dopamine.output", "readout.output", "task.target" }
local seen = s:evaluate { trials = #SHOWN, set = set, record = ports }.signals
local off = s:evaluate { trials = #SHOWN, set = set, record = { "readout.output" }, interventions = OFF.multiregion }.signals["readout.output"]
local steps = seen["task.target"].shape[1]
--- Mean over some units of a signal in one trial.
local function mean(port, trial, first, last)
    local x, y = {}, {}
    for t = 1, steps do
        local sum = 0
        for unit = first, last do sum = sum + seen[port]:get(t, trial, unit) end
        x[t], y[t] = t - 1, sum / (last - first + 1)
    end
    return x, y
end
local middle = 4 -- interval 14
local regions = {}
for _, part in ipairs { { "cortex", "cortex.hidden", 1, 20 }, { "striatum, direct", "striatum.hidden", 1, 10 }, { "striatum, indirect", "striatum.hidden", 11, 20 }, { "thalamus", "thalamus.hidden", 1, 20 } } do
    local x, y = mean(part[2], middle, part[3], part[4])
    regions[#regions + 1] = { kind = "line", name = part[1], x = x, y = y }
end
local dopamine, outputs, without = {}, {}, {}
for k, interval in ipairs(SHOWN) do
    if interval % 4 == 2 then
        local name = "interval " .. interval
        local x, s_of_t = mean("dopamine.output", k, 1, 1)
        dopamine[#dopamine + 1] = { kind = "line", name = name, x = x, y = s_of_t }
        local y, target, lost = {}, {}, {}
        for t = 1, steps do
            y[t], target[t], lost[t] = seen["readout.output"]:get(t, k, 1), seen["task.target"]:get(t, k, 1), off:get(t, k, 1)
        end
        for _, panel in ipairs { { outputs, y }, { without, lost } } do
            table.insert(panel[1], { kind = "line", group = name, name = name, x = x, y = panel[2] })
            table.insert(panel[1], { kind = "line", group = name, x = x, y = target, style = "dash" })
        end
    end
end
local time = { label = "Time", unit = "steps" }
local picture = folder .. "/variants.svg"
raphe.plot {
    file = picture,
    layout = { rows = 2, columns = 2 },
    panels = {
        { title = "Regions, interval 14", x = time, y = { label = "Mean state" }, series = regions },
        { title = "Dopamine", x = time, y = { label = "s(t)" }, series = dopamine },
        { title = "Output (dashed: target)", x = time, y = { label = "Output" }, series = outputs },
        { title = "Output without dopamine's effect", x = time, y = { label = "Output" }, series = without },
    },
}
print("figure: " .. picture)
return passed and 0 or 1
