-- SPDX-License-Identifier: Apache-2.0
-- Continual learning with diffusing modulators (after Velez and Clune 2017): tasks one after the other, with a modulator
-- that decides which units learn, which are active, or both. Prints accuracy and forgetting, the bars, and draws the
-- accuracies on every task after every task, and the fields of the modulators.
--
--   raphe lua scripts/diffusing_modulators/continual_learning.lua                  digits drawn with a pen, no files needed
--   RAPHE_DATA_DIR=data raphe lua scripts/diffusing_modulators/continual_learning.lua --source mnist
--   options: --only split_shared|split_multihead|permuted  --seeds N  --iterations N (of every task)  --threads N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local sequence = require "sequence"

local o = protocol.options({ source = "strokes", only = "all", seeds = 3, iterations = protocol.whole, threads = protocol.whole, out = "runs/diffusing_modulators" }, raphe.args)
local CONDITIONS, LABELS, BENCHMARKS = sequence.conditions, sequence.labels, sequence.benchmarks(o.source)
if o.only ~= "all" then
    local found = false
    for _, b in ipairs(BENCHMARKS) do found = found or b.name == o.only end
    if not found then error("--only: expected split_shared, split_multihead or permuted, got " .. o.only, 0) end
end

--- R[i][j], the seconds of training, and the session.
local function learn(benchmark, condition, seed)
    local iterations = {}
    for k, count in ipairs(benchmark.iterations) do iterations[k] = o.iterations or count end
    local s = sequence.experiment(condition, o.source, benchmark.set, iterations):session { seed = seed, threads = o.threads }
    local R, seconds = sequence.learn(s, iterations)
    return R, seconds, s
end

local bars, panels, points, fields = {}, {}, {}, nil
local NUMBERS = { "1", "2", "3", "4", "5" }
local function bar(text, met) bars[#bars + 1] = { text, met } end
for _, benchmark in ipairs(BENCHMARKS) do
    if o.only == "all" or o.only == benchmark.name then
        print("\n" .. benchmark.name)
        print("| condition | ACC | BWT | LA | FWT | forgetting | seconds |\n|---|---|---|---|---|---|---|")
        local measures = {}
        for _, condition in ipairs(CONDITIONS) do
            local all, mean, time = {}, {}, 0
            for seed = 1, o.seeds do
                local R, seconds, s = learn(benchmark, condition, seed)
                time = time + seconds / o.seeds
                for key, value in pairs(sequence.measures(R, benchmark.chance)) do
                    all[key] = all[key] or {}
                    all[key][seed] = value
                end
                if seed == 1 and benchmark.name ~= "split_multihead" then
                    panels[#panels + 1] = {
                        title = benchmark.name .. ", " .. LABELS[condition],
                        x = { label = "Task", categories = NUMBERS }, y = { label = "After task", categories = NUMBERS },
                        series = { { kind = "heatmap", values = R, min = 0, max = 1, label = "Accuracy" } },
                    }
                end
                if seed == 1 and condition == "both" then fields = fields or sequence.fields(s, #R) end
                s:close()
            end
            for key, values in pairs(all) do mean[key] = raphe.statistics.mean(values) end
            measures[condition] = mean
            points[#points + 1] = { kind = "points", name = LABELS[condition] .. ", " .. benchmark.name, x = all.backward_transfer, y = all.accuracy }
            print(string.format("| %s | %.3f | %+.3f | %.3f | %+.3f | %.3f | %.2f |", LABELS[condition], mean.accuracy, mean.backward_transfer,
                mean.learning, mean.forward_transfer, mean.forgetting, time))
        end
        local m = function(condition) return measures[condition].backward_transfer end
        if benchmark.name == "split_shared" then
            bar("split_shared: sgd BWT < -0.3", m "sgd" < -0.3)
            bar("split_shared: diffPG BWT > -0.03", m "both" > -0.03)
            bar("split_shared: diffPG ACC > 0.94", measures.both.accuracy > 0.94)
            bar("split_shared: diffP BWT better than sgd", m "plasticity" > m "sgd")
        elseif benchmark.name == "permuted" then
            bar("permuted: diffPG |BWT| < 0.02", math.abs(m "both") < 0.02)
            bar("permuted: sgd BWT < -0.08", m "sgd" < -0.08)
        end
    end
end

print("")
local passed = #bars == 0 or protocol.bars(bars)
panels[#panels + 1] = { title = "Accuracy and forgetting", x = { label = "BWT" }, y = { label = "ACC" }, series = points }
if fields then
    local together = {}
    for i = 1, #fields[1] do
        together[i] = {}
        for j = 1, #fields[1] do
            local sum = 0
            for _, field in ipairs(fields) do sum = sum + field[i][j] end
            together[i][j] = sum
        end
    end
    panels[#panels + 1] = { title = "Modulators of all tasks", x = { label = "Unit" }, y = { label = "Unit" }, series = { { kind = "heatmap", values = together, label = "Concentration" } } }
end
local file = o.out .. "/continual_learning.svg"
raphe.plot { file = file, width = 260, layout = { rows = (#panels + 2) // 3, columns = 3 }, panels = panels }
print("figure: " .. file)
return passed and 0 or 1
