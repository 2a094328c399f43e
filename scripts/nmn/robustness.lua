-- SPDX-License-Identifier: Apache-2.0
-- Robustness of the NMN and its recurrent baseline (Vecoven et al. 2020, Figs. 11 and 12): logistic units instead of saturating
-- linear ones, and on benchmark 1 a main network of 0, 1 and 4 hidden layers. Trains all variants over several seeds, prints
-- their final returns against the bars, and draws learning curves.
--
--   raphe lua scripts/nmn/robustness.lua                    benchmark 1 (biased target), reduced: 2 models x 4 variants x 3 seeds
--   raphe lua scripts/nmn/robustness.lua --benchmark 2      windy target, reduced (or 3: two targets): standard and logistic
--   raphe lua scripts/nmn/robustness.lua --full             published size, 15 seeds (days of computing)
--   options: --seeds N  --iterations N  --out FOLDER  --threads N
--
-- Every training is a run in FOLDER (runs/nmn); the same command goes on where it stopped. The standard networks are those of
-- learning_curves.lua. In the RNN the layer between recurrent units and main network (20 units, which corresponds to the signal
-- of the NMN) stays in all variants.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local training = require "training"

local EPISODES = 50 -- of an iteration

local o = protocol.options({ full = false, benchmark = 1, seeds = protocol.whole, iterations = protocol.whole, threads = protocol.whole, out = "runs/nmn" }, raphe.args)
local task = training.tasks[o.benchmark] or error("--benchmark: expected 1, 2 or 3, got " .. o.benchmark, 0)
o.seeds = o.seeds or (o.full and 15 or 3)
local width = o.full and 20 or 10 -- iterations of a mean

local variants = { { "standard", "as published" }, { "sigmoid", "logistic units" } }
if o.benchmark == 1 then
    variants = { { "standard", "1 hidden layer" }, { "sigmoid", "1 hidden layer, logistic" }, { "depth_0", "no hidden layer" }, { "depth_4", "4 hidden layers" } }
end

--- The experiment of a variant; at reduced scale with the task, the rule's settings and the iterations of the reduced one.
local function experiment(model, variant)
    local base = model .. "_" .. task
    if o.full then return raphe.load(variant == "standard" and base or base .. "_" .. variant) end
    local small = raphe.load(base .. "_small")
    local nodes = small:json().nodes
    local e = small
    if variant == "sigmoid" then
        for name in pairs(nodes) do
            if name:find("_hidden", 1, true) or name:find("_dense", 1, true) then e:set(name .. ".activation", "sigmoid") end
        end
    elseif variant ~= "standard" then
        e = raphe.load(base .. "_" .. variant)
        for _, name in ipairs { "task", "learner" } do
            for key, value in pairs(nodes[name].params) do e:set(name .. "." .. key, value) end
        end
        e:set("iterations", small:get("iterations"))
    end
    if variant == "standard" then return e end
    local document = e:json()
    document.name = base .. "_small_" .. variant
    return raphe.experiment(document)
end

local finals, curves, iterations = {}, {}, nil
for _, model in ipairs(training.models) do
    finals[model], curves[model] = {}, {}
    for _, variant in ipairs(variants) do
        local kind, values, returns = variant[1], {}, {}
        iterations = o.iterations or experiment(model, kind):get("iterations")
        for seed = 1, o.seeds do
            returns[seed] = training.run(experiment(model, kind), seed, iterations, o).metrics.discounted_return
            values[seed] = training.window(returns[seed], math.max(1, iterations - width + 1), iterations)
        end
        finals[model][kind], curves[model][kind] = values, returns
    end
end

local function mean(model, kind) return (training.moments(finals[model][kind])) end
print(string.format("| last %2d iterations, mean | NMN (deviation over seeds) | RNN (deviation over seeds) |", width))
print("|--------------------------|----------------------------|----------------------------|")
for _, variant in ipairs(variants) do
    local row = string.format("| %-24s |", variant[2])
    for _, model in ipairs(training.models) do
        local m, d = training.moments(finals[model][variant[1]])
        row = row .. string.format(" %15.1f (%8.1f) |", m, d)
    end
    print(row)
end

local bars = {}
local loss = {}
for _, model in ipairs(training.models) do loss[model] = mean(model, "standard") - mean(model, "sigmoid") end
bars[1] = { string.format("logistic units cost the NMN less than the RNN (%.0f, %.0f)", loss.nmn, loss.rnn), loss.nmn < loss.rnn }
if o.benchmark == 1 then
    local range = {}
    for _, model in ipairs(training.models) do
        local all = { mean(model, "depth_0"), mean(model, "standard"), mean(model, "depth_4") }
        range[model] = math.max(table.unpack(all)) - math.min(table.unpack(all))
    end
    local best = mean("rnn", "depth_0")
    bars[2] = { string.format("over 0, 1 and 4 hidden layers the NMN's mean varies less than the RNN's (%.0f, %.0f)", range.nmn, range.rnn), range.nmn < range.rnn }
    bars[3] = { string.format("the RNN is best without hidden layers (%.0f, 1: %.0f, 4: %.0f)", best, mean("rnn", "standard"), mean("rnn", "depth_4")), best > math.max(mean("rnn", "standard"), mean("rnn", "depth_4")) }
end
local passed = protocol.bars(bars)

local panels = {}
for i, model in ipairs(training.models) do
    local series = {}
    for _, variant in ipairs(variants) do
        local x, middle, lower, upper = {}, {}, {}, {}
        for k = 1, iterations do
            local values = {}
            for seed = 1, o.seeds do values[seed] = training.window(curves[model][variant[1]][seed], math.max(1, k - width + 1), k) end
            local m, d = training.moments(values)
            x[k], middle[k], lower[k], upper[k] = k * EPISODES, m, m - d, m + d
        end
        if o.seeds > 1 then series[#series + 1] = { kind = "band", group = variant[2], x = x, lower = lower, upper = upper } end
        series[#series + 1] = { kind = "line", group = variant[2], name = variant[2], x = x, y = middle }
    end
    panels[i] = { title = training.labels[model], x = { label = "Episode" }, y = { label = string.format("Discounted return, mean of %d episodes", width * EPISODES) }, series = series }
end
local picture = string.format("%s/robustness_%s_%s.svg", o.out, task, o.full and "full" or "small")
raphe.plot { file = picture, title = string.format("Robustness on %s: mean and standard deviation of %d seeds", task, o.seeds), layout = { rows = 1, columns = 2 }, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
