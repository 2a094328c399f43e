-- SPDX-License-Identifier: Apache-2.0
-- Theory of the linear NM-RNN of rank 1 (Costacurta et al. 2024, section 4.1, Fig. 2A and 3B): which gain s(t) makes a ramp follows from
-- a closed form. Does the runs of the study mwg_rank_one that are missing, inserts the gain that the theory predicts into the trained
-- networks, compares it with the gain that they learned, and draws both. Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/nm_rnn/rank_one_theory.lua             20,000 iterations, 5 seeds
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local TRAINED, ALL = { 12, 14, 16, 18 }, { 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26 }

local o = protocol.options({ seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local folder = o.out ~= "" and o.out or "studies/mwg_rank_one"
local study = raphe.study("mwg_rank_one", { out = folder, seeds = o.seeds, iterations = o.iterations })
local counted = study:run { workers = o.workers }
if counted.done < counted.total then
    print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
    return 1
end

--- A session in double precision for all intervals, with the weights of a run.
local function tester(run)
    local stored = raphe.open_run(study:folder_of(run.id))
    local trained, e = stored.session { threads = 1 }, stored.experiment
    e:set("task.intervals", ALL)
    e:set("task.measure_first", 15)
    e:set("task.measure_last", 15)
    e:set("trials", #ALL)
    local s = e:session { seed = 1, threads = 1, precision = "float64" }
    for _, p in ipairs(trained:parameters()) do s:set(p.name, trained:get(p.name)) end
    return s, e
end

local function numbers(tensor) return tensor:reshape { tensor:size() }:totable() end
local function dot(a, b)
    local sum = 0
    for i = 1, #a do sum = sum + a[i] * b[i] end
    return sum
end

--- Everything that the closed form needs of a trained network, and what the network did: for each interval the step of the go cue
--- (from 1), target, output, gain, and the state after the cue.
local function observe(run)
    local s, e = tester(run)
    local l, r, c = numbers(s:get "core.left_factor"), numbers(s:get "core.right_factor"), numbers(s:get "readout.weight")
    local norm = math.sqrt(dot(l, l))
    for i = 1, #l do l[i] = l[i] / norm end -- as the network uses it: of length 1
    local seen = s:evaluate { record = { "task.observation", "task.target", "readout.output", "gate.output", "core.hidden" } }.signals
    local network = { session = s, tau = e:get "core.tau", l = l, r = r, c = c, d = s:get("readout.bias"):sum(), ramps = {} }
    local steps, units = seen["task.target"].shape[1], #l
    for k, interval in ipairs(ALL) do
        local ramp = { interval = interval, target = {}, output = {}, gain = {}, state = {} }
        for t = 1, steps do
            if seen["task.observation"]:get(t, k, 3) > 0 then ramp.go = t end
            ramp.target[t], ramp.output[t], ramp.gain[t] = seen["task.target"]:get(t, k, 1), seen["readout.output"]:get(t, k, 1), seen["gate.output"]:get(t, k, 1)
        end
        for i = 1, units do ramp.state[i] = seen["core.hidden"]:get(ramp.go, k, i) end
        network.ramps[k] = ramp
    end
    return network
end

--- The gain that makes the target from the go cue on: with x = a l + w, w orthogonal to l and decaying by itself,
---   s(t) = (f(t-1) - d + tau (f(t) - f(t-1))) / ((l.r)(f(t-1) - d - c.w(t-1)) + (c.l)(r.w(t-1))).
local function predict(network, ramp)
    local l, r, c, d, tau, f = network.l, network.r, network.c, network.d, network.tau, ramp.target
    local along, w = dot(l, ramp.state), {}
    for i = 1, #l do w[i] = ramp.state[i] - along * l[i] end
    local lr, cl, cw, rw = dot(l, r), dot(c, l), dot(c, w), dot(r, w)
    local predicted = {}
    for t = ramp.go + 1, ramp.go + ramp.interval do
        predicted[t] = (f[t - 1] - d + tau * (f[t] - f[t - 1])) / (lr * (f[t - 1] - d - cw) + cl * rw)
        cw, rw = cw * (1 - 1 / tau), rw * (1 - 1 / tau)
    end
    -- The state from which the output is the target at the cue: only a differs.
    local start, a = {}, (f[ramp.go] - d - dot(c, w)) / cl
    for i = 1, #l do start[i] = a * l[i] + w[i] end
    return predicted, start
end

--- The largest difference between the target and what the network does with the predicted gain.
local function simulate(network, ramp, predicted, start)
    local steps = #ramp.target
    local inputs, gain, state = raphe.zeros { steps, 1, 3 }, raphe.zeros { steps, 1, 1 }, raphe.zeros { 1, #start }
    for t = 1, ramp.interval do gain:set(t, 1, 1, predicted[ramp.go + t]) end
    for i, x in ipairs(start) do state:set(1, i, x) end
    local y = network.session:forward {
        inputs = { ["task.observation"] = inputs, ["gate.output"] = gain }, initial_states = { ["core.hidden"] = state }, record = { "readout.output" },
    }.signals["readout.output"]
    local worst = 0
    for t = 1, ramp.interval do worst = math.max(worst, math.abs(y:get(t, 1, 1) - ramp.target[ramp.go + t])) end
    return worst
end

local function contains(list, value)
    for _, v in ipairs(list) do
        if v == value then return true end
    end
    return false
end

print("| seed | loss    | d     | l.r   | simulated - target | RMSE, trained | RMSE at 26 | s at the start of the ramp, intervals 12 to 18 |")
print("|------|---------|-------|-------|--------------------|---------------|------------|------------------------------------------------|")
local worst, good, best = 0, {}, nil
for _, run in ipairs(study:results().runs) do
    local network = observe(run)
    local sum, longest, starts, falling = 0, 0, {}, true
    for _, ramp in ipairs(network.ramps) do
        local start
        ramp.predicted, start = predict(network, ramp)
        network.worst = math.max(network.worst or 0, simulate(network, ramp, ramp.predicted, start))
        local square = 0
        for t, s in pairs(ramp.predicted) do square = square + (s - ramp.gain[t]) ^ 2 / ramp.interval end
        if ramp.interval == 26 then longest = math.sqrt(square) end
        if contains(TRAINED, ramp.interval) then
            sum = sum + math.sqrt(square) / #TRAINED
            falling = falling and (#starts == 0 or ramp.gain[ramp.go + 1] < starts[#starts])
            starts[#starts + 1] = ramp.gain[ramp.go + 1]
        end
    end
    worst = math.max(worst, network.worst)
    local shown = {}
    for i, s in ipairs(starts) do shown[i] = string.format("%.3f", s) end
    local loss = run.measures.trained
    print(string.format("| %4d | %7.1e | %5.2f | %5.2f | %18.1e | %13.3f | %10.3f | %-46s |", run.seed, loss, network.d, dot(network.l, network.r),
        network.worst, sum, longest, table.concat(shown, ", ")))
    network.loss, network.rmse, network.falling, network.seed = loss, sum, falling, run.seed
    if loss < 5e-4 then good[#good + 1] = network end
    if not best or loss < best.loss then best = network end
end

local near, falling = #good > 0, #good > 0
for _, network in ipairs(good) do
    near = near and network.rmse < 0.1
    falling = falling and (network.d > -0.5 or network.falling)
end
local passed = protocol.bars {
    { string.format("with the predicted gain every network follows every target to 1e-9 (here %.1e)", worst), worst < 1e-9 },
    { string.format("of the networks with a loss < 5e-4 (here %d) the gain is within 0.1 of the prediction on trained intervals", #good), near },
    { "and at the start of the ramp it is the smaller the longer the interval, where d < -0.5", falling },
}

-- Figure: the decay for prescribed gains, and the gains of the best network with what the theory says.
local decay = {}
for _, gain in ipairs { 0, 0.25, 0.5, 0.75, 1 } do
    local x, y, w = {}, {}, 1
    for t = 0, 40 do
        x[t + 1], y[t + 1] = t, w
        w = (1 - (1 - gain) / best.tau) * w
    end
    decay[#decay + 1] = { kind = "line", name = string.format("s = %g", gain), x = x, y = y }
end
local function gains(intervals)
    local series = {}
    for _, ramp in ipairs(best.ramps) do
        if contains(intervals, ramp.interval) then
            local x, learned, theory = {}, {}, {}
            for t = 1, ramp.interval do
                x[t], learned[t], theory[t] = t, ramp.gain[ramp.go + t], ramp.predicted[ramp.go + t]
            end
            local name = "interval " .. ramp.interval
            series[#series + 1] = { kind = "line", group = name, name = name, x = x, y = learned }
            series[#series + 1] = { kind = "line", group = name, x = x, y = theory, style = "dash" }
        end
    end
    return series
end
local picture = folder .. "/rank_one_theory.svg"
raphe.plot {
    file = picture,
    layout = { rows = 1, columns = 3 },
    panels = {
        { title = "Decay of a component", x = { label = "Time", unit = "steps" }, y = { label = "w(t)" }, series = decay },
        { title = "Trained intervals (dashed: theory)", x = { label = "Time since go", unit = "steps" }, y = { label = "s(t)" }, series = gains(TRAINED) },
        { title = "Other intervals (dashed: theory)", x = { label = "Time since go", unit = "steps" }, y = { label = "s(t)" }, series = gains { 6, 10, 22, 26 } },
    },
}
print("figure: " .. picture)
return passed and 0 or 1
