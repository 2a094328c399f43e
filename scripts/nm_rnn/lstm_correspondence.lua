-- SPDX-License-Identifier: Apache-2.0
-- A linear NM-RNN with equal factors and tau = 1 is the cell of an LSTM (Costacurta et al. 2024, section 4.2): its modes w = Q^T x follow
--   w(t) = s(t) .* w(t-1) + Q^T B u(t),
-- so s is the forget gate, the input gate is open and the candidate is linear. Builds such a network and the LSTM that corresponds to
-- it, gives both the same input, and draws modes beside cells. Nothing is trained.
--
--   raphe lua scripts/nm_rnn/lstm_correspondence.lua
--   options: --seed N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local o = protocol.options({ seed = 1, out = "nm_rnn" }, raphe.args)
local UNITS, RANK, STEPS = 20, 3, 110
local SMALL = 1e-5 -- an LSTM squashes its candidate; of so small a one tanh is the identity but for a part in 1e10
local OPEN = 40    -- the bias of the input gates: sigmoid(40) differs from 1 by 4e-18

--- The network of a modulator, a gate and a linear core with one input of the task's 3 channels.
local function nm_rnn(tau, tau_z)
    return raphe.experiment {
        nodes = {
            task = { mechanism = "task.measure_wait_go" },
            modulator = { mechanism = "model.rnn", params = { units = 5, tau = tau_z } },
            gate = { mechanism = "model.dense", params = { units = RANK, activation = "sigmoid" } },
            core = { mechanism = "model.low_rank_rnn", params = { units = UNITS, rank = RANK, tau = tau, activation = "identity", symmetric = true, initial_state = 0 } },
        },
        wires = { "task.observation -> modulator.input", "modulator.hidden -> gate.input", "gate.output -> core.gain", "task.observation -> core.input" },
        trials = 1,
    }:session { seed = o.seed, threads = 1, precision = "float64" }
end
local lstm = raphe.experiment {
    nodes = { task = { mechanism = "task.measure_wait_go" }, core = { mechanism = "model.lstm", params = { units = RANK } } },
    wires = { "task.observation -> core.input" },
    trials = 1,
}:session { seed = o.seed, threads = 1, precision = "float64" }

local random = raphe.random(o.seed)
local input = raphe.zeros { STEPS, 1, 3 }
for t = 1, STEPS do
    for k = 1, 3 do input:set(t, 1, k, random:normal(0, 1)) end
end

--- The orthonormal factor of L by Gram and Schmidt: T has a positive diagonal.
local function orthonormal(L)
    local rows, columns, Q = L.shape[1], L.shape[2], L:copy()
    for j = 1, columns do
        for i = 1, j - 1 do
            local along = 0
            for r = 1, rows do along = along + Q:get(r, i) * Q:get(r, j) end
            for r = 1, rows do Q:set(r, j, Q:get(r, j) - along * Q:get(r, i)) end
        end
        local square = 0
        for r = 1, rows do square = square + Q:get(r, j) ^ 2 end
        for r = 1, rows do Q:set(r, j, Q:get(r, j) / math.sqrt(square)) end
    end
    return Q
end
--- Columns of a signal (steps, 1, units) as lists; times a matrix (units, columns) if there is one.
local function series(signal, matrix)
    local flat = signal:reshape { signal.shape[1], signal.shape[3] }
    if matrix then flat = flat:matmul(matrix) end
    local result = {}
    for k = 1, flat.shape[2] do
        result[k] = {}
        for t = 1, flat.shape[1] do result[k][t] = flat:get(t, k) end
    end
    return result
end
--- What a network does with the input: its modes, their gains, and the drive Q^T B u.
local function modes(session)
    local Q, B = orthonormal(session:get "core.left_factor"), session:get "core.input_weight"
    local signals = session:forward { inputs = { ["task.observation"] = input }, record = { "core.hidden", "gate.output" } }.signals
    return { w = series(signals["core.hidden"], Q), s = series(signals["gate.output"]), drive = series(input, B:transpose():matmul(Q)), Q = Q, B = B }
end
--- How far the modes are from w(t) = (1 - (1 - s)/tau) w(t-1) + drive / tau.
local function distance_from_recursion(m, tau)
    local worst = 0
    for k = 1, RANK do
        local w = 0
        for t = 1, STEPS do
            w = (1 - (1 - m.s[k][t]) / tau) * w + m.drive[k][t] / tau
            worst = math.max(worst, math.abs(w - m.w[k][t]))
        end
    end
    return worst
end

local fast, slow = modes(nm_rnn(1, 10)), modes(nm_rnn(10, 100))
local recursion, general = distance_from_recursion(fast, 1), distance_from_recursion(slow, 10)

-- An LSTM computes its gates from the present input (and h, which is cut off here). So that both have the same gates the modulator
-- has no memory of its own: tau_z = 1 and no recurrent weights, s = sigmoid(A B_z u + b).
local network = nm_rnn(1, 1)
network:set("modulator.recurrent_weight", raphe.zeros { 5, 5 })
local here = modes(network)
local forget, candidate = network:get("gate.weight"):matmul(network:get "modulator.input_weight"), here.Q:transpose():matmul(here.B)
local W, b = raphe.zeros { 4 * RANK, 3 }, raphe.zeros { 4 * RANK, 1 } -- blocks of i, f, g, o
for k = 1, RANK do
    b:set(k, 1, OPEN)
    b:set(RANK + k, 1, network:get("gate.bias"):get(k, 1))
    for c = 1, 3 do
        W:set(RANK + k, c, forget:get(k, c))
        W:set(2 * RANK + k, c, SMALL * candidate:get(k, c))
    end
end
lstm:set("core.input_weight", W)
lstm:set("core.recurrent_weight", raphe.zeros { 4 * RANK, RANK })
lstm:set("core.bias", b)
local cell = series(lstm:forward { inputs = { ["task.observation"] = input }, record = { "core.cell" } }.signals["core.cell"] * (1 / SMALL))
local difference = 0
for k = 1, RANK do
    for t = 1, STEPS do difference = math.max(difference, math.abs(cell[k][t] - here.w[k][t])) end
end

local passed = protocol.bars {
    { string.format("modes of the NM-RNN with tau = 1 follow the recursion of an LSTM's cell (difference %.1e)", recursion), recursion < 1e-12 },
    { string.format("with tau = 10 they do with the forget gate 1 - (1 - s)/tau and 1/tau of the input (difference %.1e)", general), general < 1e-12 },
    { string.format("the cells of the LSTM that corresponds to an NM-RNN are its modes (difference %.1e)", difference), difference < 1e-8 },
}

local time, cells, gates, effective = {}, {}, {}, {}
for t = 1, STEPS do time[t] = t end
for k = 1, RANK do
    local name = "component " .. k
    cells[#cells + 1] = { kind = "line", group = name, name = name, x = time, y = here.w[k] }
    cells[#cells + 1] = { kind = "line", group = name, x = time, y = cell[k], style = "dash" }
    gates[k] = { kind = "line", group = name, name = name, x = time, y = here.s[k] }
    local f = {}
    for t = 1, STEPS do f[t] = 1 - (1 - slow.s[k][t]) / 10 end
    effective[k] = { kind = "line", group = name, name = name, x = time, y = f }
end
local picture = o.out .. "/lstm_correspondence.svg"
raphe.plot {
    file = picture,
    layout = { rows = 1, columns = 3 },
    panels = {
        { title = "Modes w (dashed: cells of the LSTM)", x = { label = "Time", unit = "steps" }, y = { label = "w(t), c(t)" }, series = cells },
        { title = "Gains, which are forget gates", x = { label = "Time", unit = "steps" }, y = { label = "s(t) = f(t)" }, series = gates },
        { title = "Forget gates for tau = 10", x = { label = "Time", unit = "steps" }, y = { label = "1 - (1 - s)/tau" }, series = effective },
    },
}
print("figure: " .. picture)
return passed and 0 or 1
