-- SPDX-License-Identifier: Apache-2.0
-- What a trained NM-RNN does on Measure-Wait-Go (Costacurta et al. 2024, Figs. 3E and 3F, and section 6 of the analysis): the gain
-- s(t) of each component, what the output is when a component is held or removed, the principal components of the modulator z and
-- the core x, fixed points of both under each cue with the eigenvalues of their Jacobian, and the flow in the plane of x's first
-- two components. Prints tables and draws them. Trains the network first unless its folder holds it.
--
--   raphe lua scripts/nm_rnn/dynamics.lua                                           mwg_small_nm_rnn: 6000 iterations at once
--   raphe lua scripts/nm_rnn/dynamics.lua --experiment mwg_small_nm_rnn_staged      trained in the published stages
--   options: --seed N  --iterations N  --starts N  --threads N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local analysis = raphe.analysis

local ALL = { 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26 }
local MEASURE, DELAY, CUE = 15, 15, 10 -- step of the first cue, steps from wait to go, size of a cue
local SHORT, LONG = 5, 8               -- trials of the intervals 12 and 18, the shortest and longest that were trained

local o = protocol.options({ experiment = "mwg_small_nm_rnn", seed = 1, iterations = protocol.whole, starts = 40, threads = protocol.whole, out = "runs/nm_rnn" }, raphe.args)
local folder = string.format("%s/%s_seed_%d", o.out, o.experiment, o.seed)
raphe.run(o.experiment, { out = folder, seed = o.seed, iterations = o.iterations, threads = o.threads, resume = true })
local stored = raphe.open_run(folder)

--- The trained network on one trial of each interval.
local function tester()
    local trained, e = stored:session { threads = 1 }, stored.experiment
    e:set("task.intervals", ALL)
    e:set("task.measure_first", MEASURE)
    e:set("task.measure_last", MEASURE)
    e:set("trials", #ALL)
    local s = e:session { seed = 1, threads = o.threads }
    for _, p in ipairs(trained:parameters()) do s:set(p.name, trained:get(p.name)) end
    return s
end
local s = tester()
local whole = s:evaluate { record = { "task.observation", "task.target", "modulator.hidden", "gate.output", "core.hidden", "readout.output" } }
local signals = whole.signals
local gain, x, z = signals["gate.output"], signals["core.hidden"], signals["modulator.hidden"]
local steps, rank = gain.shape[1], gain.shape[3]
-- Lua's step t (from 1) is step t - 1 of the trial.
local function at(step) return step + 1 end
local function go(trial) return MEASURE + ALL[trial] + DELAY end

local function row(format, ...) print("| " .. string.format(format, ...) .. " |") end

-- -- the gain ------------------------------------------------------------------------------------------------------------------

print(string.format("loss on the 12 intervals: %.2e", whole.metrics.loss))
print()
print("| s of component | first | least | most | at go, 12 | at go, 18 | at the end of the ramp, 12 | 18 | differs between intervals by |")
print("|---|---|---|---|---|---|---|---|---|")
local varies = {} -- by component: how much s moves in the trials
for k = 1, rank do
    local component = gain:slice(3, k)
    local spread = 0 -- at go, over the trained intervals
    local low, high = math.huge, -math.huge
    for trial = SHORT, LONG do
        local value = gain:get(at(go(trial)), trial, k)
        low, high = math.min(low, value), math.max(high, value)
    end
    spread = high - low
    varies[k] = component:max() - component:min()
    row("%d | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.3f | %.4f", k, gain:get(1, 1, k), component:min(), component:max(),
        gain:get(at(go(SHORT)), SHORT, k), gain:get(at(go(LONG)), LONG, k), gain:get(at(go(SHORT) + 12), SHORT, k),
        gain:get(at(go(LONG) + 18), LONG, k), spread)
end

-- -- ablation and clamping ----------------------------------------------------------------------------------------------------------

local function loss(component, operation, value, from)
    return s:evaluate { interventions = { { port = "gate.output", component = component - 1, operation = operation, value = value, from = from or 0 } } }.metrics.loss
end
print()
print("| s of component held | at its first value | at its mean | at 0 | at 1 | from go on, at its value there | error grows by the factor |")
print("|---|---|---|---|---|---|---|")
local doubled, ablated = 0, {} -- components whose ablation doubles the error; outputs
for k = 1, rank do
    local first, mean = gain:get(1, 1, k), gain:slice(3, k):mean()
    -- From go on: each trial at its own value, so trial by trial.
    local frozen = gain:copy()
    for trial = 1, #ALL do
        for t = at(go(trial)), steps do frozen:set(t, trial, k, gain:get(at(go(trial)), trial, k)) end
    end
    local y = s:forward { inputs = { ["task.observation"] = signals["task.observation"], ["gate.output"] = frozen }, record = { "readout.output" } }.signals["readout.output"]
    local error = y - signals["task.target"]
    local factors = { loss(k, "clamp", first), loss(k, "clamp", mean), loss(k, "clamp", 0), loss(k, "clamp", 1), (error * error):mean() }
    for i, value in ipairs(factors) do factors[i] = value / whole.metrics.loss end
    row("%d | %.1f | %.1f | %.1f | %.1f | %.1f | %s", k, factors[1], factors[2], factors[3], factors[4], factors[5],
        factors[1] > 2 and "more than 2" or "less than 2")
    if factors[1] > 2 then doubled = doubled + 1 end
    ablated[k] = s:evaluate { interventions = { { port = "gate.output", component = k - 1, operation = "clamp", value = first, from = 0 } }, record = { "readout.output" } }.signals["readout.output"]
end

-- -- principal components -------------------------------------------------------------------------------------------------------

local of_z, of_x = analysis.pca(z), analysis.pca(x)
print()
print("| share of the variance | 1 | 2 | 3 | 4 | 5 | dimension |")
print("|---|---|---|---|---|---|---|")
for _, item in ipairs { { "z", of_z }, { "x", of_x } } do
    local share, squares = item[2].share, 0
    for _, v in ipairs(share) do squares = squares + v * v end
    row("%s | %.4f | %.4f | %.4f | %.5f | %.5f | %.2f", item[1], share[1], share[2], share[3], share[4], share[5], 1 / squares)
end
-- x lies in the span of its inputs (3), of the left factors (rank) and of its first state.
local kept, room = 0, rank + 4
for k = 1, math.min(room, #of_x.share) do kept = kept + of_x.share[k] end

-- -- fixed points ----------------------------------------------------------------------------------------------------------------

local function cue(channel)
    local u = { 0, 0, 0 }
    if channel then u[channel] = CUE end
    return u
end
local CUES = { { "none", nil }, { "measure", 1 }, { "wait", 2 }, { "go", 3 } }
local readout, bias = s:get("readout.weight"), s:get("readout.bias"):get(1, 1)
local function output(state) -- of the core
    local sum = bias
    for i = 1, #state do sum = sum + readout:get(1, i) * state[i] end
    return sum
end
local function slowest(point)
    local a, b = point.eigenvalues:get(1, 1), point.eigenvalues:get(1, 2)
    return math.sqrt(a * a + b * b)
end
local function time_constant(size) return size < 1 and string.format("%.0f", -1 / math.log(size)) or "grows" end
local worst, count, closed = 0, 0, true -- disagreement of the two derivatives; fixed points in all; whether each search ended

--- Prints what was found, and returns the points.
local function report(title, found, value)
    closed = closed and found.failed == 0
    if #found.points == 0 then row("%s | none | | | | | %d of %d", title, 0, found.starts) end
    for _, p in ipairs(found.points) do
        count = count + 1
        worst = math.max(worst, p.disagreement)
        local size = slowest(p)
        row("%s | %s%s | %.5f%s | %s | %s | %.1f | %d of %d", title, p.stability, p.unstable > 0 and string.format(" (%d)", p.unstable) or "",
            size, p.oscillates and ", pair" or "", time_constant(size), value(p), p.distance, p.starts, found.starts)
    end
    return found.points
end

print()
print("fixed points of the modulator z, with each cue held:")
print("| cue | stability (unstable directions) | largest eigenvalue | time constant, steps | s there | from the nearest visited state | searches |")
print("|---|---|---|---|---|---|---|")
local gate, gate_bias = s:get("gate.weight"), s:get("gate.bias")
local rest -- s at the stable state of z without a cue
local function gains(p)
    local result = {}
    for k = 1, rank do
        local sum = gate_bias:get(k, 1)
        for i = 1, #p.state do sum = sum + gate:get(k, i) * p.state[i] end
        result[k] = string.format("%.3f", 1 / (1 + math.exp(-sum)))
    end
    return table.concat(result, " ")
end
local z_points = {}
for i, c in ipairs(CUES) do
    z_points[i] = report(c[1], analysis.fixed_points(s, { states = { "modulator" }, inputs = { ["task.observation"] = cue(c[2]) },
        starts = z, count = o.starts, noise = 0.1, seed = o.seed, threads = o.threads }), gains)
end

--- Moments of a trial: name, step, cue that is held.
local function moments(trial)
    local interval = ALL[trial]
    return {
        { "before", MEASURE - 1 }, { "measure cue", MEASURE, 1 }, { "measuring", MEASURE + interval - 1 }, { "wait cue", MEASURE + interval, 2 },
        { "waiting", go(trial) - 1 }, { "go cue", go(trial), 3 }, { "ramp", go(trial) + interval // 2 }, { "after the ramp", steps - 1 },
    }
end
print()
print("fixed points of the core x, with the gain and the cue of a moment held:")
print("| interval, moment | stability (unstable directions) | largest eigenvalue | time constant, steps | output there | from the nearest visited state | searches |")
print("|---|---|---|---|---|---|---|")
local x_points = {}
for _, trial in ipairs { SHORT, LONG } do
    x_points[trial] = {}
    for i, m in ipairs(moments(trial)) do
        x_points[trial][i] = report(string.format("%d, %s", ALL[trial], m[1]), analysis.fixed_points(s, { states = { "core" },
            moment = { signals = signals, step = at(m[2]), trial = trial }, starts = x, count = o.starts, seed = o.seed, threads = o.threads }),
            function(p) return string.format("%.2f", output(p.state)) end)
    end
end

print()
print("fixed points of the whole network (z, x), with each cue held:")
print("| cue | stability (unstable directions) | largest eigenvalue | time constant, steps | output there | from the nearest visited state | searches |")
print("|---|---|---|---|---|---|---|")
local both = raphe.zeros { steps * #ALL, z.shape[3] + x.shape[3] }
local z_rows, x_rows, both_rows = z:reshape { steps * #ALL, z.shape[3] }:totable(), x:reshape { steps * #ALL, x.shape[3] }:totable(), {}
for i, first in ipairs(z_rows) do both_rows[i] = table.move(x_rows[i], 1, #x_rows[i], #first + 1, first) end
both = raphe.tensor(both_rows)
for _, c in ipairs(CUES) do
    report(c[1], analysis.fixed_points(s, { states = { "modulator", "core" }, inputs = { ["task.observation"] = cue(c[2]) }, starts = both,
        count = o.starts, seed = o.seed, threads = o.threads }),
        function(p)
            local state = {}
            for i = 1, x.shape[3] do state[i] = p.state[z.shape[3] + i] end
            return string.format("%.2f", output(state))
        end)
end

-- One step of the map from a recorded state is the next recorded state, but for the precision of the recording.
local largest = 0
for t = 2, steps, 7 do
    local j = analysis.jacobian(s, { states = { "core" }, moment = { signals = signals, step = t, trial = LONG }, at = x[t - 1][LONG] })
    local step = x[t][LONG] - x[t - 1][LONG] - j.change
    worst = math.max(worst, j.disagreement)
    largest = math.max(largest, step:max(), -step:min())
end

print()
local passed = protocol.bars {
    { string.format("all %d searches that were begun ended, and both derivatives agree to 1e-6 (%.1e, %d fixed points)", o.starts, worst, count), closed and worst < 1e-6 },
    { string.format("the map goes from each recorded state to the next (largest difference %.1e < 1e-4)", largest), largest < 1e-4 },
    { string.format("x keeps to the %d directions of its inputs, left factors and first state (all but %.1e of the variance)", room, math.abs(1 - kept)), math.abs(1 - kept) < 1e-6 },
    { string.format("holding one component of s at its first value doubles the error, for two of three (here %d)", doubled), doubled >= 2 },
}

-- -- figures -------------------------------------------------------------------------------------------------------------------

local function over_time(tensor, trial, k)
    local xs, ys = {}, {}
    for t = 1, steps do xs[t], ys[t] = t - 1, tensor:get(t, trial, k) end
    return xs, ys
end
local function cues(trial, series)
    for _, c in ipairs { { MEASURE, "measure" }, { MEASURE + ALL[trial], "wait" }, { go(trial), "go" } } do
        series[#series + 1] = { kind = "vline", at = c[1], label = c[2] }
    end
    return series
end
local gains_panels, ablation_panels = {}, {}
for _, trial in ipairs { SHORT, LONG } do
    local series = {}
    for k = 1, rank do
        local xs, ys = over_time(gain, trial, k)
        series[k] = { kind = "line", name = "s" .. k, x = xs, y = ys }
    end
    gains_panels[#gains_panels + 1] = { title = "Gain, interval " .. ALL[trial], x = { label = "Time", unit = "steps" }, y = { label = "s(t)", min = 0, max = 1 }, series = cues(trial, series) }
    local outputs = {}
    local xs, target = over_time(signals["task.target"], trial, 1)
    outputs[1] = { kind = "line", name = "target", color = "#909090", style = "dash", x = xs, y = target }
    local _, intact = over_time(signals["readout.output"], trial, 1)
    outputs[2] = { kind = "line", name = "intact", color = "#000000", x = xs, y = intact }
    for k = 1, rank do
        local _, y = over_time(ablated[k], trial, 1)
        outputs[#outputs + 1] = { kind = "line", name = "s" .. k .. " held", group = "s" .. k, x = xs, y = y }
    end
    ablation_panels[#ablation_panels + 1] = { title = "Output, interval " .. ALL[trial], x = { label = "Time", unit = "steps" }, y = { label = "Output" }, series = outputs }
end
local function portrait(title, p, name, trials)
    local series = {}
    for _, trial in ipairs(trials) do
        local xs, ys = {}, {}
        for t = 1, steps do xs[t], ys[t] = p.scores:get(t, trial, 1), p.scores:get(t, trial, 2) end
        series[#series + 1] = { kind = "line", name = "interval " .. ALL[trial], x = xs, y = ys }
    end
    for _, c in ipairs { { "measure", function() return MEASURE end, "square" }, { "wait", function(trial) return MEASURE + ALL[trial] end, "diamond" }, { "go", go, "triangle" } } do
        local xs, ys = {}, {}
        for i, trial in ipairs(trials) do
            xs[i], ys[i] = p.scores:get(at(c[2](trial)), trial, 1), p.scores:get(at(c[2](trial)), trial, 2)
        end
        series[#series + 1] = { kind = "points", name = c[1], color = "#303030", x = xs, y = ys, marker = c[3], size = 6 }
    end
    return {
        title = title, legend = "outside", series = series,
        x = { label = string.format("PC 1 of %s (%.0f %%)", name, 100 * p.share[1]) }, y = { label = string.format("PC 2 of %s (%.0f %%)", name, 100 * p.share[2]) },
    }
end
local first = string.format("%s/dynamics_gain.svg", folder)
raphe.plot {
    file = first, title = o.experiment, layout = { rows = 3, columns = 2 },
    panels = {
        gains_panels[1], gains_panels[2], ablation_panels[1], ablation_panels[2],
        portrait("Modulator", of_z, "z", { 1, 5, 8, 12 }), portrait("Core", of_x, "x", { 1, 5, 8, 12 }),
    },
}

local MARKS = { stable = { "circle", "#009e73" }, marginal = { "square", "#e69f00" }, saddle = { "diamond", "#cc79a7" }, unstable = { "triangle", "#d55e00" } }
local function range(k)
    local scores = of_x.scores:slice(3, k)
    local low, high = scores:min(), scores:max()
    return { low - 0.15 * (high - low), high + 0.15 * (high - low) }
end
local across, up = range(1), range(2)
--- The flow of x at a moment, the trial up to it, and fixed points within the drawing.
local function flow_panel(trial, index, moment)
    local flow = analysis.flow_field(s, { states = { "core" }, moment = { signals = signals, step = at(moment[2]), trial = trial },
        plane = { pca = of_x }, x = across, y = up, columns = 16, rows = 13, threads = o.threads })
    local series = { { kind = "line", color = "#6a9fb5", style = "solid", width = 0.7, x = flow.arrows.x, y = flow.arrows.y } }
    local xs, ys = {}, {}
    for t = 1, at(moment[2]) do xs[t], ys[t] = of_x.scores:get(t, trial, 1), of_x.scores:get(t, trial, 2) end
    series[2] = { kind = "line", color = "#303030", width = 1.2, x = xs, y = ys }
    series[3] = { kind = "points", color = "#303030", x = { xs[#xs] }, y = { ys[#ys] }, size = 6 }
    for _, p in ipairs(x_points[trial][index]) do
        local seen = analysis.project(of_x, p.state)
        local a, b = seen[1], seen[2]
        if a > across[1] and a < across[2] and b > up[1] and b < up[2] then
            local mark = MARKS[p.stability]
            series[#series + 1] = { kind = "points", marker = mark[1], color = mark[2], size = 10, x = { a }, y = { b } }
        end
    end
    return {
        title = moment[1], legend = "none", series = series,
        x = { label = "PC 1 of x", min = across[1], max = across[2] }, y = { label = "PC 2 of x", min = up[1], max = up[2] },
    }
end
local panels = {}
for i, m in ipairs(moments(LONG)) do panels[i] = flow_panel(LONG, i, m) end
local second = string.format("%s/dynamics_flow.svg", folder)
raphe.plot { file = second, title = "Flow of x, interval " .. ALL[LONG] .. ": the state so far, and fixed points (circles stable, diamonds saddles)", layout = { rows = 2, columns = 4 }, panels = panels }
print("figure: " .. first)
print("figure: " .. second)
return passed and 0 or 1
