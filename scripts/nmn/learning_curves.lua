-- SPDX-License-Identifier: Apache-2.0
-- Learning curves of the NMN and its recurrent baseline (Vecoven et al. 2019, Fig. 2; 2020, Fig. 6): trains both over several
-- seeds, prints the discounted return of the training episodes against the acceptance bars, and draws mean and standard
-- deviation over the seeds.
--
--   raphe lua scripts/nmn/learning_curves.lua                   benchmark 1 (biased target), reduced: 80 iterations, 3 seeds
--   raphe lua scripts/nmn/learning_curves.lua --benchmark 2     benchmark 2 (windy target), reduced: 150 iterations, 3 seeds
--   raphe lua scripts/nmn/learning_curves.lua --benchmark 3     benchmark 3 (two targets), reduced: 150 iterations, 3 seeds
--   raphe lua scripts/nmn/learning_curves.lua --full            published size, 5 seeds (hours; 2 and 3: days of computing)
--   options: --seeds N  --iterations N  --out FOLDER  --threads N
--
-- Every training is a run in FOLDER (runs/nmn). The same command goes on where it stopped, and other protocols of this folder
-- find the trained networks there.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local training = require "training"

local EPISODES = 50 -- of an iteration

-- Values of the first arXiv version's figure (December 2018), by thousands of episodes.
local PUBLISHED = {
    nil,
    { { 5, 1050 }, { 10, 1550 }, { 15, 1780 }, { 20, 1950 }, { 30, 2130 }, { 71, 2600 } },
    { { 5, 2560 }, { 10, 3310 }, { 15, 3600 }, { 20, 3700 }, { 24, 3780 } },
}
-- Lines that help to read the axis: discounted returns of reference policies.
local LINES = {
    small = { { { 333, "optimum" }, { -139, "ignoring the history" } }, {}, {} },
    full = {
        { { 4679, "optimum" }, { -1855, "ignoring the history" } },
        { { 6350, "knowing the wind" }, { 1590, "ignoring the wind" } },
        { { 7130, "knowing the good target" }, { 2520, "nearest target" } },
    },
}

local function published_at(benchmark, episodes)
    local list, thousands = PUBLISHED[benchmark], episodes / 1000
    for i = 2, #list do
        local a, b = list[i - 1], list[i]
        if thousands <= b[1] then return a[2] + math.max(0, thousands - a[1]) / (b[1] - a[1]) * (b[2] - a[2]) end
    end
    return list[#list][2]
end

local o = protocol.options({ full = false, benchmark = 1, seeds = protocol.whole, iterations = protocol.whole, threads = protocol.whole, out = "runs/nmn" }, raphe.args)
local task = training.tasks[o.benchmark] or error("--benchmark: expected 1, 2 or 3, got " .. o.benchmark, 0)
o.seeds = o.seeds or (o.full and 5 or 3)
local width = o.full and 20 or 10 -- iterations of a mean

local results, iterations = {}, nil
for _, model in ipairs(training.models) do
    local name = model .. "_" .. task .. (o.full and "" or "_small")
    iterations = o.iterations or raphe.load(name):get("iterations")
    local r = { label = training.labels[model], runs = {}, returns = {}, finals = {} }
    for seed = 1, o.seeds do
        r.runs[seed] = training.run(name, seed, iterations, o)
        local returns = r.runs[seed].metrics.discounted_return
        r.returns[seed] = table.move(returns, 1, math.min(#returns, iterations), 1, {})
        r.finals[seed] = training.window(r.returns[seed], math.max(1, iterations - width + 1), iterations)
    end
    results[model] = r
end
local nmn, rnn = results.nmn, results.rnn

-- Table: means over windows of iterations.
local windows = {}
if o.benchmark == 1 and not o.full then
    windows = { { 1, 10 }, { 11, 20 }, { 31, 40 }, { 51, 60 }, { 71, 80 } }
else
    for i = 0, 4 do
        local first = math.max(0, iterations - width) * i // 4 + 1
        windows[#windows + 1] = { first, math.min(iterations, first + width - 1) }
    end
end
local head, rule = "| discounted return | seed |", "|-------------------|------|"
for _, w in ipairs(windows) do
    head = head .. string.format(" %11s |", w[1] .. "-" .. w[2])
    rule = rule .. "-------------|"
end
print(head)
print(rule)
for _, model in ipairs(training.models) do
    for seed = 1, o.seeds do
        local row = string.format("| %-17s | %4d |", results[model].label, seed)
        for _, w in ipairs(windows) do row = row .. string.format(" %11s |", training.text("%.1f", training.window(results[model].returns[seed], w[1], w[2]))) end
        print(row)
    end
end

local function over_seeds(result, first, last)
    local values = {}
    for seed = 1, o.seeds do values[seed] = training.window(result.returns[seed], first, last) end
    return training.moments(values)
end
--- Mean over the seeds of the difference between the last and the first window, in standard errors.
local function rise(result)
    local rises, variance = {}, 0
    for seed = 1, o.seeds do
        local returns, means = result.returns[seed], {}
        for i, from in ipairs { 1, math.max(1, iterations - width + 1) } do
            local window = table.move(returns, from, math.min(from + width - 1, #returns), 1, {})
            local mean, deviation = training.moments(window)
            means[i], variance = mean, variance + deviation ^ 2 / #window
        end
        rises[seed] = means[2] - means[1]
    end
    local mean = training.moments(rises)
    return mean, mean / (math.sqrt(variance) / o.seeds)
end
--- Good and bad hits in the second half of fresh episodes, with sampled actions and frozen weights.
local function late_hits(run)
    local s = run:session { threads = o.threads }
    local hit = s:evaluate { trials = 200, record = { "task.hit" } }.signals["task.hit"]
    s:close()
    local good, bad = 0, 0
    for t = #hit // 2 + 1, #hit do
        for _, h in ipairs(hit[t]:reshape { hit.shape[2] }:totable()) do
            good, bad = good + (h == 1 and 1 or 0), bad + (h == 2 and 1 or 0)
        end
    end
    return good, bad
end

local bars = {}
local function bar(text, met) bars[#bars + 1] = { text, met } end
local nmn_mean, nmn_deviation = training.moments(nmn.finals)
local rnn_mean, rnn_deviation = training.moments(rnn.finals)
if o.full then
    if o.benchmark == 1 then
        local worst = -math.huge -- largest excess over the optimum, in standard errors
        for _, model in ipairs(training.models) do
            for seed = 1, o.seeds do
                local last = table.move(results[model].returns[seed], math.max(1, iterations - width + 1), iterations, 1, {})
                local mean, deviation = training.moments(last)
                worst = math.max(worst, (mean - 4679) / (deviation / math.sqrt(#last)))
            end
        end
        bar(string.format("median NMN >= 4250 after 20,000 episodes (here %.0f after %d)", raphe.statistics.median(nmn.finals), iterations * EPISODES), raphe.statistics.median(nmn.finals) >= 4250)
        bar(string.format("nothing above the optimum by 3 standard errors (largest: %.1f)", worst), worst <= 3)
    else
        local value = published_at(o.benchmark, iterations * EPISODES)
        bar(string.format("mean NMN >= 0.9 x the published %.0f at %d episodes (here %.0f)", value, iterations * EPISODES, nmn_mean), nmn_mean >= 0.9 * value)
    end
    bar(string.format("mean NMN > mean RNN (%.0f, %.0f)", nmn_mean, rnn_mean), nmn_mean > rnn_mean)
    bar(string.format("spread of NMN < spread of RNN over the seeds (%.0f, %.0f)", nmn_deviation, rnn_deviation), nmn_deviation < rnn_deviation)
elseif o.benchmark == 1 then
    for _, w in ipairs { { 31, 40 }, { 51, 60 } } do
        local difference = over_seeds(nmn, w[1], w[2]) - over_seeds(rnn, w[1], w[2])
        bar(string.format("mean NMN - mean RNN >= 30 in iterations %d-%d (here %s)", w[1], w[2], training.text("%.0f", difference)), difference >= 30)
    end
    local lowest = math.huge
    for seed = 1, o.seeds do
        local value = training.window(nmn.returns[seed], 51, 60)
        if value ~= value or value < lowest then lowest = value end
    end
    bar(string.format("every seed of the NMN > 20 in iterations 51-60 (lowest %s)", training.text("%.0f", lowest)), lowest > 20)
else
    local difference, errors = rise(nmn)
    bar(string.format("the NMN's return rises by more than 3 standard errors (here by %.0f, %.1f errors)", difference, errors), errors > 3)
    difference, errors = rise(rnn)
    print(string.format("the RNN's return rises by %.0f, %.1f standard errors", difference, errors))
    if o.benchmark == 3 then
        for _, model in ipairs(training.models) do
            local good, bad = 0, 0
            for seed = 1, o.seeds do
                local g, b = late_hits(results[model].runs[seed])
                good, bad = good + g, bad + b
            end
            local text = string.format("late good hits : bad hits %d : %d = %.2f", good, bad, good / bad)
            if model == "nmn" then bar("NMN, more than 2: " .. text, good > 2 * bad) else print("RNN, " .. text) end
        end
    end
end
print(string.format("last %d iterations: NMN %.1f (standard deviation over the seeds %.1f), RNN %.1f (%.1f)", width, nmn_mean, nmn_deviation, rnn_mean, rnn_deviation))
local passed = protocol.bars(bars)

local series = {}
for _, line in ipairs(LINES[o.full and "full" or "small"][o.benchmark]) do series[#series + 1] = { kind = "hline", at = line[1], label = line[2] } end
for _, model in ipairs(training.models) do
    local r, x, middle, lower, upper = results[model], {}, {}, {}, {}
    for i = 1, iterations do
        local values = {}
        for seed = 1, o.seeds do values[seed] = training.window(r.returns[seed], math.max(1, i - width + 1), i) end
        local mean, deviation = training.moments(values)
        x[i], middle[i], lower[i], upper[i] = i * EPISODES, mean, mean - deviation, mean + deviation
    end
    if o.seeds > 1 then series[#series + 1] = { kind = "band", group = r.label, x = x, lower = lower, upper = upper } end
    series[#series + 1] = { kind = "line", group = r.label, name = r.label, x = x, y = middle }
end
local picture = string.format("%s/learning_curves_%s_%s.svg", o.out, task, o.full and "full" or "small")
raphe.plot {
    file = picture,
    title = string.format("Benchmark %d, %s: mean and standard deviation of %d seeds", o.benchmark, task, o.seeds),
    panels = { { x = { label = "Episode" }, y = { label = string.format("Discounted return, mean of %d episodes", width * EPISODES) }, series = series } },
}
print("figure: " .. picture)
return passed and 0 or 1
