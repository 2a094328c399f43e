-- SPDX-License-Identifier: Apache-2.0
-- Inside the networks of diffusing modulators (after Velez and Clune 2017), and conditions beyond the main ones: how far a modulator
-- reaches, a wrong source at the test, ten tasks on a larger grid, a weight manifold in place of the modulators, and no word of
-- the task at all, where bursts of noradrenaline choose the next source.
--
--   raphe lua scripts/diffusing_modulators/further_conditions.lua                  digits drawn with a pen, no files needed
--   RAPHE_DATA_DIR=data raphe lua scripts/diffusing_modulators/further_conditions.lua --source mnist
--   options: --only units|reach|wrong|ten|manifold|free  --seeds N  --iterations N (of every task)  --threads N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local sequence = require "sequence"

local o = protocol.options({ source = "strokes", only = "all", seeds = 3, iterations = protocol.whole, threads = protocol.whole, out = "runs/diffusing_modulators" }, raphe.args)
local known = { all = true, units = true, reach = true, wrong = true, ten = true, manifold = true, free = true }
if not known[o.only] then error("--only: expected units, reach, wrong, ten, manifold or free, got " .. o.only, 0) end
local function wanted(part) return o.only == "all" or o.only == part end
local shared, _, permuted = table.unpack(sequence.benchmarks(o.source))
local function lengths(list)
    local result = {}
    for k, count in ipairs(list) do result[k] = o.iterations or count end
    return result
end
local bars = {}
local function bar(text, met) bars[#bars + 1] = { text, met } end
local figure = protocol.figure { file = o.out .. "/further_conditions.svg" }
--- Means over seeds of what `run(seed)` returns: R and the chance.
local function mean_of(run)
    local sums = {}
    for seed = 1, o.seeds do
        for key, value in pairs(sequence.measures(run(seed))) do sums[key] = (sums[key] or 0) + value / o.seeds end
    end
    return sums
end
local function row(name, m) print(string.format("| %s | %.3f | %+.3f | %.3f | %.3f |", name, m.accuracy, m.backward_transfer, m.learning, m.forgetting)) end
local function head(title) print("\n" .. title .. "\n| condition | ACC | BWT | LA | forgetting |\n|---|---|---|---|---|") end
local function train(condition, benchmark, set, seed, before)
    local all = {}
    for _, list in ipairs { benchmark.set, set } do
        for _, setting in ipairs(list) do all[#all + 1] = setting end
    end
    local iterations = lengths(benchmark.iterations)
    local s = sequence.experiment(condition, o.source, all, iterations):session { seed = seed, threads = o.threads }
    local R = sequence.learn(s, iterations, before)
    return R, s
end

-- Units: where they lie, when they are active, how much their weights have changed ----------------------------------

if wanted("units") then
    local before, changes, at = nil, {}, 0
    local function weight(s) return s:get("hidden.weight") end
    local function note(s) -- what task `at` has changed
        local now = weight(s)
        if before then changes[at] = (now - before):map(math.abs):sum(2):totable() end
        before, at = now, at + 1
    end
    local R, s = train("both", shared, {}, 1, note)
    note(s)
    local tasks, fields = #R, sequence.fields(s, #R)
    local units = #changes[1]
    local active = {}
    for k = 1, tasks do
        local h = s:evaluate { trials = 400, record = { "hidden.output" }, set = { ["task.split"] = "test", ["task.task"] = k - 1 } }.signals["hidden.output"]
        active[k] = h:mean(2):reshape { units }:totable()
    end
    s:close()
    local side, lowest, reached = math.floor(math.sqrt(units) + 0.5), 1, 0
    for k = 1, tasks do
        local inside, whole, count = 0, 0, 0
        for j = 1, units do
            local near = fields[k][(j - 1) // side + 1][(j - 1) % side + 1] > 0.3
            whole, inside, count = whole + changes[k][j], inside + (near and changes[k][j] or 0), count + (near and 1 or 0)
        end
        lowest, reached = math.min(lowest, inside / whole), math.max(reached, count)
    end
    print(string.format("of the change of weights in a task, at least %.3f lies in the up to %d of %d units whose concentration is above 0.3", lowest, reached, units))
    bar("weights change where the modulator is (at least 0.9 of the change)", lowest >= 0.9)
    local function grid(values)
        local rows = {}
        for i = 1, side do
            rows[i] = {}
            for j = 1, side do rows[i][j] = values[(i - 1) * side + j] end
        end
        return rows
    end
    for _, k in ipairs { 1, 2 } do
        figure:panel("Concentration, task " .. k, "Unit", "Unit", { { kind = "heatmap", values = fields[k], label = "c" } })
        figure:panel("Change of weights, task " .. k, "Unit", "Unit", { { kind = "heatmap", values = grid(changes[k]), label = "Sum of |change|" } })
        figure:panel("Activity in task " .. k, "Unit", "Unit", { { kind = "heatmap", values = grid(active[k]), label = "Mean activity" } })
    end
    local selectivity = {}
    for k = 1, tasks do selectivity[k] = active[k] end
    figure:panel("Activity of every unit", "Unit", { label = "Task", reversed = true }, { { kind = "heatmap", values = selectivity, label = "Mean activity" } })
end

-- Reach: from a source for each task to one for all ------------------------------------------------------------------

if wanted("reach") then
    head("split_shared: how far the modulator reaches (rho)")
    local scatter = {}
    for _, condition in ipairs { "plasticity", "both" } do
        local points = { kind = "line", name = sequence.labels[condition], x = {}, y = {}, markers = true }
        for i, reach in ipairs { 0.05, 0.1, 0.15, 0.25, 0.5, 100 } do
            local m = mean_of(function(seed)
                local R, s = train(condition, shared, { { "modulator.reach", reach } }, seed)
                s:close()
                return R, shared.chance
            end)
            row(string.format("%s, rho %g", sequence.labels[condition], reach), m)
            points.x[i], points.y[i] = m.backward_transfer, m.accuracy
        end
        scatter[#scatter + 1] = points
    end
    local plain = mean_of(function(seed)
        local R, s = train("sgd", shared, {}, seed)
        s:close()
        return R, shared.chance
    end)
    row("sgd", plain)
    scatter[#scatter + 1] = { kind = "points", name = "sgd", x = { plain.backward_transfer }, y = { plain.accuracy } }
    figure:panel("Reach 0.05 to 100", "BWT", "ACC", scatter)
    bar("a modulator that is everywhere keeps no tasks apart", scatter[2].y[6] < scatter[2].y[3] and math.abs(scatter[2].y[6] - plain.accuracy) < 0.1)
end

-- Wrong source at the test -------------------------------------------------------------------------------------------

if wanted("wrong") then
    head("split_shared, both: the source at the test")
    local right, wrong = nil, nil
    for _, shift in ipairs { 0, 1, 2 } do
        local m = mean_of(function(seed)
            local R, s = train("both", shared, {}, seed)
            R[#R] = sequence.accuracies(s, #R, function(j) return sequence.release((j - 1 + shift) % #R + 1, #R) end)
            s:close()
            return R, shared.chance
        end)
        row(({ [0] = "of the task", "of the next task", "of the task after that" })[shift], m)
        if shift == 0 then right = m.accuracy else wrong = math.max(wrong or 0, m.accuracy) end
    end
    bar(string.format("the network needs to be told the task (%.2f to %.2f)", right, wrong), right > wrong + 0.1)
end

-- Ten tasks on a grid of 20 x 20 ----------------------------------------------------------------------------------------

if wanted("ten") then
    head("ten permuted tasks, 400 units")
    local ten = { chance = 0.1, iterations = {}, set = { { "task.sequence", "permuted" }, { "task.tasks", 10 }, { "head.units", 10 }, { "hidden.units", 400 } } }
    for k = 1, 10 do ten.iterations[k] = permuted.iterations[1] end
    for _, condition in ipairs { "sgd", "both" } do
        local grid = condition == "sgd" and {} or { { "modulator.sources", 10 }, { "modulator.grid", 20 } }
        local R, s = train(condition, ten, grid, 1)
        s:close()
        local m = sequence.measures(R, 0.1)
        row(sequence.labels[condition] .. " (one seed)", m)
        figure:panel("Ten tasks, " .. sequence.labels[condition], { label = "Task" }, { label = "After task" }, { { kind = "heatmap", values = R, min = 0, max = 1, label = "Accuracy" } })
    end
end

-- A weight manifold with the tasks at s = k / K --------------------------------------------------------------------------

if wanted("manifold") then
    head("split_shared: weights that walk on a manifold, task k at s = k / 5")
    for _, topology in ipairs { "ellipse", "fourier", "periodic_bspline" } do
        local m = mean_of(function(seed)
            local iterations = lengths(shared.iterations)
            local e = sequence.experiment("sgd", o.source, {}, iterations)
            e:add_node("place", "model.dense", { units = 1, bias = false })
            e:add_node("basis", "model.manifold_basis", { topology = topology, harmonics = 2, points = 7 })
            e:set_mechanism("hidden", "model.manifold_dense"):set_mechanism("head", "model.manifold_dense")
            e:set_parameter("hidden", "units", 100):set_parameter("hidden", "activation", "relu"):set_parameter("head", "units", 2)
            e:connect("task.task", "place.input"):connect("place.output", "basis.s")
            e:connect("basis.phi", "hidden.point"):connect("basis.phi", "head.point")
            local s = e:session { seed = seed, threads = o.threads }
            s:freeze("place.*")
            local places = {}
            for k = 1, #iterations do places[k] = (k - 1) / #iterations end
            s:set("place.weight", { places })
            local R = sequence.learn(s, iterations)
            s:close()
            return R, shared.chance
        end)
        row(topology, m)
    end
end

-- Nobody says which task it is --------------------------------------------------------------------------------------------

if wanted("free") then
    -- The locus coeruleus of the Go/No-Go animals, whose surprise is the loss of the training. One step at a time.
    local function watcher()
        local e = raphe.experiment {
            name = "watcher",
            nodes = {
                loss = { mechanism = "model.dense", params = { units = 1 } },
                locus_coeruleus = { mechanism = "model.locus_coeruleus", params = { rate_fast = 0.3, rate_slow = 0.05, slow_start = 0.7, theta = 0.1, warmup = 30, refractory = 40 } },
            },
            wires = { "locus_coeruleus.noradrenaline -> loss.input", "loss.output -> locus_coeruleus.surprise" },
            trials = 1, steps = 1,
        }
        local s, states = e:session { threads = 1 }, nil
        return function(loss)
            local r = s:forward { inputs = { ["loss.output"] = { { { loss } } } }, initial_states = states, record = { "locus_coeruleus.burst" } }
            states = r.states
            return r.signals["locus_coeruleus.burst"]:get(1, 1, 1) == 1
        end
    end
    local K = 5
    head("split_shared, both: sources chosen by bursts, the task is told to nobody")
    local shown
    local found = { bursts = 0, near = 0, distinct = 0 }
    local own, least = {}, {}
    for seed = 1, o.seeds do
        local iterations = lengths(shared.iterations)
        local s = sequence.experiment("both", o.source, {}, iterations):session { seed = seed, threads = o.threads }
        local burst, source = watcher(), 1
        local course, bursts, usual, begins = { x = {}, y = {} }, {}, {}, {}
        local function release(k)
            s:clear_interventions()
            for _, one in ipairs(sequence.release(k, K)) do s:intervene(one) end
        end
        release(source)
        local mapping, R = {}, {}
        for i, count in ipairs(iterations) do
            begins[i] = s:iteration()
            local counted = {}
            s:train { iterations = count, on_iteration = function(m)
                course.x[#course.x + 1], course.y[#course.y + 1] = m.iteration, m.loss
                counted[source] = (counted[source] or 0) + 1
                if burst(m.loss) then
                    bursts[#bursts + 1] = m.iteration
                    source = source % K + 1
                    release(source)
                end
            end }
            -- The source that was active for most of the task.
            local most = source
            for k, n in pairs(counted) do
                if n > (counted[most] or 0) or n == counted[most] and k < most then most = k end
            end
            mapping[i] = most
            s:clear_interventions()
            R[i] = sequence.accuracies(s, K, function(j) return sequence.release(mapping[j] or K + 1, K) end)
            release(source)
        end
        s:clear_interventions()
        own[seed] = R
        -- At the test: the source under which the network is surest of the images of a task, on average.
        local chosen, images = {}, 400
        for j = 1, K do
            local lowest
            for k = 1, K do
                local y = s:evaluate { trials = images, record = { "head.output" }, set = { ["task.split"] = "test", ["task.task"] = j - 1 }, interventions = sequence.release(k, K) }.signals["head.output"]
                local entropy = 0
                for b = 1, images do
                    local p = 1 / (1 + math.exp(y:get(1, b, 2) - y:get(1, b, 1)))
                    if p > 1e-12 and p < 1 - 1e-12 then entropy = entropy - p * math.log(p) - (1 - p) * math.log(1 - p) end
                end
                if not lowest or entropy < lowest then lowest, chosen[j] = entropy, k end
            end
        end
        least[seed] = sequence.accuracies(s, K, function(j) return sequence.release(chosen[j], K) end)
        local distinct, seen = 0, {}
        for _, k in ipairs(mapping) do
            if not seen[k] then distinct = distinct + 1 end
            seen[k] = true
        end
        found.bursts, found.distinct = found.bursts + #bursts / o.seeds, found.distinct + distinct / o.seeds
        for _, at in ipairs(bursts) do
            for i = 2, K do
                if at >= begins[i] and at < begins[i] + 15 then found.near = found.near + 1 / o.seeds end
            end
        end
        if seed == 1 then shown = { course = course, bursts = bursts, begins = begins } end
        s:close()
    end
    local m = mean_of(function(seed) return own[seed], shared.chance end)
    local one = mean_of(function(seed)
        local R, s = train("both", shared, {}, seed, function(s)
            s:clear_interventions()
            for _, i in ipairs(sequence.release(1, K)) do s:intervene(i) end
        end)
        s:close()
        return R, shared.chance
    end)
    row("one source for all tasks", one)
    row("tested with the source that each task had", m)
    local sum = 0
    for _, list in ipairs(least) do sum = sum + raphe.statistics.mean(list) / o.seeds end
    print(string.format("| tested with the source that is surest | %.3f | | | |", sum))
    print(string.format("%.1f bursts, %.1f of them within 15 iterations after the 4 changes; %.1f different sources for 5 tasks", found.bursts, found.near, found.distinct))
    bar(string.format("sources that bursts choose forget less than one source (BWT %.3f to %.3f)", m.backward_transfer, one.backward_transfer),
        m.backward_transfer > one.backward_transfer + 0.05)
    local series = { { kind = "line", name = "loss", x = shown.course.x, y = protocol.smooth(shown.course.y, 5) } }
    for i = 2, #shown.begins do series[#series + 1] = { kind = "vline", at = shown.begins[i], style = "dot" } end
    series[#series + 1] = { kind = "raster", name = "burst", x = shown.bursts, y = {}, height = 0.1 }
    for i = 1, #shown.bursts do series[#series].y[i] = -0.1 end
    figure:panel("No word of the task", "Iteration (dotted: the task changes)", "Loss", series)
end

print("")
local passed = #bars == 0 or protocol.bars(bars)
figure:draw()
return passed and 0 or 1
