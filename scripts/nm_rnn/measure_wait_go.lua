-- SPDX-License-Identifier: Apache-2.0
-- Measure-Wait-Go (Costacurta et al. 2024, Fig. 3): trains the NM-RNN and the low-rank baselines over several seeds,
-- tests them on trained and extrapolated intervals, ablates the components of the gain, prints the table against the
-- acceptance bars, and draws the figure.
--
--   raphe lua scripts/nm_rnn/measure_wait_go.lua             reduced scale: 10,000 iterations, 5 seeds
--   raphe lua scripts/nm_rnn/measure_wait_go.lua --full      as published: 70,000 iterations, 10 seeds
--   options: --seeds N  --iterations N  --joint  --out FOLDER  --threads N
--
-- The NM-RNN is trained in the published stages (large network, modulator, everything) in the proportion 1 : 1 : 5, or
-- 1 : 1 : 3 at reduced scale; the baselines get as many iterations in all. With --joint everything is trained at once.
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local TRAINED = { 12, 14, 16, 18 }
local SHORT, LONG = { 4, 6, 8, 10 }, { 20, 22, 24, 26 }
local ALL = { 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26 }

--- What is trained. Each stage ends with the weights after the block of 1000 iterations whose last loss was lowest, as the
--- authors do.
local function staged(name, o)
    if name:find("nm_rnn", 1, true) and not o.joint then
        local early = math.max(1, o.iterations // (o.full and 7 or 5))
        return raphe.load(name .. "_staged"):set("stages[0].iterations", early):set("stages[1].iterations", early)
            :set("stages[2].iterations", math.max(1, o.iterations - 2 * early))
    end
    local keep_best = { metric = "loss", goal = "min", of = "training", every = 1000 }
    return raphe.load(name):set("stages", { { name = "everything", iterations = o.iterations, keep_best = keep_best } })
end

--- A session for other intervals with the same weights.
local function tester(name, trained, intervals)
    local e = raphe.load(name)
    e:set("task.intervals", intervals)
    e:set("task.measure_first", 15)
    e:set("task.measure_last", 15)
    e:set("trials", #intervals)
    local s = e:session { seed = 1, threads = 1 }
    for _, p in ipairs(trained:parameters()) do s:set(p.name, trained:get(p.name)) end
    return s
end
local function loss_on(name, trained, intervals)
    return tester(name, trained, intervals):evaluate {}.metrics.loss
end

local function train(name, seed, o)
    local begun = raphe.clock()
    local s = staged(name, o):session { seed = seed, threads = o.threads }
    s:train {}
    local result = {
        trained = loss_on(name, s, TRAINED),
        extrapolated = (loss_on(name, s, SHORT) + loss_on(name, s, LONG)) / 2,
        session = s,
    }
    raphe.log(string.format("%-24s seed %d  trained %.2e  extrapolated %.2e  (%.0f s)", name, seed, result.trained, result.extrapolated, raphe.clock() - begun))
    return result
end

local o = protocol.options({ full = false, joint = false, seeds = protocol.whole, iterations = protocol.whole, threads = protocol.whole, out = "runs/measure_wait_go" }, raphe.args)
o.seeds = o.seeds or (o.full and 10 or 5)
o.iterations = o.iterations or (o.full and 70000 or 10000)
local models = o.full and { { "mwg_nm_rnn", "NM-RNN" }, { "mwg_lr_rnn", "low-rank, 1/N" }, { "mwg_lr_rnn_fair", "low-rank, no 1/N" } }
    or { { "mwg_small_nm_rnn", "NM-RNN" }, { "mwg_small_lr_rnn", "low-rank, 1/N" }, { "mwg_small_lr_rnn_fair", "low-rank, no 1/N" } }

local results = {}
for _, model in ipairs(models) do
    local trained, extrapolated, sessions = {}, {}, {}
    for seed = 1, o.seeds do
        local r = train(model[1], seed, o)
        trained[seed], extrapolated[seed], sessions[seed] = r.trained, r.extrapolated, r.session
    end
    results[#results + 1] = { name = model[1], label = model[2], trained = trained, extrapolated = extrapolated, sessions = sessions }
end

print("| model            | trained MSE (median) | extrapolated MSE (median) |")
print("|------------------|----------------------|---------------------------|")
for _, r in ipairs(results) do print(string.format("| %-16s | %20.2e | %25.2e |", r.label, raphe.statistics.median(r.trained), raphe.statistics.median(r.extrapolated))) end

-- Ablation: one component of the gain held at its first value.
local nm = results[1]
local ablated_networks = 0
for seed = 1, o.seeds do
    local s = tester(nm.name, nm.sessions[seed], ALL)
    local whole = s:evaluate { record = { "gate.output" } }
    local first = whole.signals["gate.output"]
    local worse, factors = 0, {}
    for component = 0, 2 do
        -- Before the first cue all trials are alike, so the first value is the same in all of them.
        local loss = s:evaluate { interventions = { { port = "gate.output", component = component, operation = "clamp", value = first:get(1, 1, component + 1), from = 0 } } }.metrics.loss
        factors[component + 1] = string.format("%.1f", loss / whole.metrics.loss)
        if loss > 2 * whole.metrics.loss then worse = worse + 1 end
    end
    raphe.log(string.format("ablation, seed %d: loss grows by the factors %s", seed, table.concat(factors, ", ")))
    if worse >= 2 then ablated_networks = ablated_networks + 1 end
end

local low = results[2]
local bars = {
    { "trained MSE of NM-RNN < 2e-4", raphe.statistics.median(nm.trained) < 2e-4 },
    { "trained MSE of low-rank (1/N) > 5e-4", raphe.statistics.median(low.trained) > 5e-4 },
    { "extrapolated MSE of NM-RNN < 2e-3", raphe.statistics.median(nm.extrapolated) < 2e-3 },
    { "extrapolated MSE of NM-RNN < 0.25 x low-rank (1/N)", raphe.statistics.median(nm.extrapolated) < 0.25 * raphe.statistics.median(low.extrapolated) },
    { string.format("two of three ablations double the loss, in 4/5 of the networks (here %d of %d)", ablated_networks, o.seeds), ablated_networks >= 0.8 * o.seeds },
}
local passed = protocol.bars(bars)

-- Figure: errors of all networks, and the ramps of one NM-RNN against their targets.
local strip, categories = {}, {}
for m, r in ipairs(results) do
    categories[m] = r.label
    for _, kind in ipairs { "trained", "extrapolated" } do
        local x, y = {}, {}
        for seed = 1, o.seeds do
            x[seed] = m - 1 + (kind == "trained" and -0.15 or 0.15)
            y[seed] = r[kind][seed]
        end
        strip[#strip + 1] = { kind = "points", group = kind, name = m == 1 and kind .. " intervals" or nil, x = x, y = y }
    end
end
local best = 1
for seed = 2, o.seeds do
    if nm.extrapolated[seed] < nm.extrapolated[best] then best = seed end
end
local record = tester(nm.name, nm.sessions[best], ALL):evaluate { record = { "readout.output", "task.target", "gate.output" } }
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
local picture = o.out .. (o.full and "_full" or "_small") .. ".svg"
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
