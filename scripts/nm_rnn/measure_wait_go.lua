-- SPDX-License-Identifier: Apache-2.0
-- Measure-Wait-Go (Costacurta et al. 2024, Fig. 3): does the runs of the study that are missing, prints its table and bars,
-- ablates the components of the gain, and draws errors, ramps and gains. Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/nm_rnn/measure_wait_go.lua             the study mwg_small: 10,000 iterations, 5 seeds
--   raphe lua scripts/nm_rnn/measure_wait_go.lua --full      the study mwg: as published, 70,000 iterations, 10 seeds
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local ALL = { 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26 }

local o = protocol.options({ full = false, seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local name = o.full and "mwg" or "mwg_small"
local folder = o.out ~= "" and o.out or "studies/" .. name
local study = raphe.study(name, { out = folder, seeds = o.seeds, iterations = o.iterations })
local counted = study:run { workers = o.workers }
if counted.done < counted.total then
    print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
    return 1
end

local results = study:results()
local models = {} -- in the order of the study: name, runs by seed
for _, run in ipairs(results.runs) do
    local last = models[#models]
    if not last or last.name ~= run.variant then
        last = { name = run.variant, runs = {} }
        models[#models + 1] = last
    end
    last.runs[#last.runs + 1] = run
end
local function median(model, measure)
    local values = {}
    for i, run in ipairs(model.runs) do values[i] = run.measures[measure] end
    return raphe.statistics.median(values)
end

--- A session for other intervals with the weights of a run.
local function tester(run, intervals)
    local stored = raphe.open_run(study:folder_of(run.id))
    local trained, e = stored.session { threads = 1 }, stored.experiment
    e:set("task.intervals", intervals)
    e:set("task.measure_first", 15)
    e:set("task.measure_last", 15)
    e:set("trials", #intervals)
    local s = e:session { seed = 1, threads = 1 }
    for _, p in ipairs(trained:parameters()) do s:set(p.name, trained:get(p.name)) end
    return s
end

print("| model            | trained MSE (median) | extrapolated MSE (median) |")
print("|------------------|----------------------|---------------------------|")
for _, m in ipairs(models) do print(string.format("| %-16s | %20.2e | %25.2e |", m.name, median(m, "trained"), median(m, "extrapolated"))) end

-- Ablation: one component of the gain held at its first value.
local nm = models[1]
local ablated_networks = 0
for i, run in ipairs(nm.runs) do
    local s = tester(run, ALL)
    local whole = s:evaluate { record = { "gate.output" } }
    local first = whole.signals["gate.output"]
    local worse, factors = 0, {}
    for component = 0, 2 do
        -- Before the first cue all trials are alike, so the first value is the same in all of them.
        local loss = s:evaluate { interventions = { { port = "gate.output", component = component, operation = "clamp", value = first:get(1, 1, component + 1), from = 0 } } }.metrics.loss
        factors[component + 1] = string.format("%.1f", loss / whole.metrics.loss)
        if loss > 2 * whole.metrics.loss then worse = worse + 1 end
    end
    raphe.log(string.format("ablation, seed %d: loss grows by the factors %s", run.seed, table.concat(factors, ", ")))
    if worse >= 2 then ablated_networks = ablated_networks + 1 end
end

local bars = {}
for _, bar in ipairs(results.bars) do bars[#bars + 1] = { bar.bar, bar.met } end
bars[#bars + 1] = { string.format("two of three ablations double the loss, in 4/5 of the networks (here %d of %d)", ablated_networks, #nm.runs), ablated_networks >= 0.8 * #nm.runs }
local passed = protocol.bars(bars)

-- Figure: errors of all networks, and the ramps of one NM-RNN against their targets.
local strip, categories = {}, {}
for m, model in ipairs(models) do
    categories[m] = model.name
    for _, kind in ipairs { "trained", "extrapolated" } do
        local x, y = {}, {}
        for i, run in ipairs(model.runs) do
            x[i] = m - 1 + (kind == "trained" and -0.15 or 0.15)
            y[i] = run.measures[kind]
        end
        strip[#strip + 1] = { kind = "points", group = kind, name = m == 1 and kind .. " intervals" or nil, x = x, y = y }
    end
end
local best = 1
for i, run in ipairs(nm.runs) do
    if run.measures.extrapolated < nm.runs[best].measures.extrapolated then best = i end
end
local record = tester(nm.runs[best], ALL):evaluate { record = { "readout.output", "task.target", "gate.output" } }
local ramps, gains = {}, {}
local steps = record.signals["readout.output"].shape[1]
for k, interval in ipairs(ALL) do
    if interval % 4 == 2 then
        local x, y, target = {}, {}, {}
        for t = 1, steps do
            x[t], y[t], target[t] = t - 1, record.signals["readout.output"]:get(t, k, 1), record.signals["task.target"]:get(t, k, 1)
        end
        ramps[#ramps + 1] = { kind = "line", group = "interval " .. interval, name = "interval " .. interval, x = x, y = y }
        ramps[#ramps + 1] = { kind = "line", group = "interval " .. interval, x = x, y = target, style = "dash" }
    end
end
for component = 1, 3 do
    local x, y = {}, {}
    for t = 1, steps do x[t], y[t] = t - 1, record.signals["gate.output"]:get(t, 6, component) end
    gains[component] = { kind = "line", name = "s" .. component, x = x, y = y }
end
local picture = folder .. "/measure_wait_go.svg"
raphe.plot {
    file = picture,
    layout = { rows = 1, columns = 3 },
    panels = {
        { title = "Error of each network", x = { label = "Model", categories = categories }, y = { label = "Mean squared error", scale = "log" }, series = strip },
        { title = "Ramps (dashed: target)", x = { label = "Time", unit = "steps" }, y = { label = "Output" }, series = ramps },
        { title = "Gain of the components, interval 14", x = { label = "Time", unit = "steps" }, y = { label = "s(t)" }, series = gains },
    },
}
print("figure: " .. picture)
return passed and 0 or 1
