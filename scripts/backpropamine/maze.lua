-- SPDX-License-Identifier: Apache-2.0
-- Grid maze (Miconi et al. 2019, Backpropamine, Fig. 2): does the runs of the study that are missing, prints its table and bars, compares
-- simple modulation with plain plasticity in every kept iteration by Wilcoxon's rank sum test, and draws learning curves with a star
-- where they differ (p < 0.05). Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/backpropamine/maze.lua             the study maze_small: 5000 iterations, 5 seeds
--   raphe lua scripts/backpropamine/maze.lua --full      the study maze: published size (days of computing)
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
--            --so-far    only draws and prints what the folder holds of the study, as far as its curves go
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local LABELS = { simple = "simple neuromodulation", retroactive = "retroactive neuromodulation", plastic = "plastic, not modulated", none = "no plasticity", none_139 = "no plasticity, 139 neurons" }

local o = protocol.options({ full = false, ["so-far"] = false, seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
-- The authors keep every 100th iteration of 100,000 and average 20 of these.
local every, width = o.full and 100 or 20, 20
local s = curves.study(o.full and "maze" or "maze_small", o, o["so-far"])
if not s then return 1 end

local lists, last = {}, math.huge
for _, variant in ipairs(s.variants) do
    lists[variant.name] = curves.of(variant, "reward")
    for _, list in ipairs(lists[variant.name]) do last = math.min(last, #list) end
end
local passed = false
if o["so-far"] then
    -- Runs that have come further than others are looked at where all are.
    local count = math.max(1, last // 10)
    for _, variant in ipairs(s.variants) do
        for i, run in ipairs(variant.runs) do
            local list, sum = lists[variant.name][i], 0
            for k = last - count + 1, last do sum = sum + list[k] end
            run.measures = { reward = sum / count }
        end
    end
    print(string.format("Iterations %d to %d of every run:", last - count, last - 1))
end
local function reward(run) return run.measures.reward end
curves.table(s.variants, reward, "reward per episode")
if not o["so-far"] then passed = protocol.bars(curves.bars(s.results)) end

local series = {}
for _, variant in ipairs(s.variants) do
    local band, line = curves.quartiles(lists[variant.name], variant.name, LABELS[variant.name], every, width)
    series[#series + 1], series[#series + 2] = band, line
end
if lists.simple and lists.plastic then
    local x, modulated = curves.kept(lists.simple, every)
    local _, plain = curves.kept(lists.plastic, every)
    local stars, top, second_half, tested = {}, 0, 0, 0
    for i = 1, math.min(#modulated, #plain) do
        for _, value in ipairs(modulated[i]) do top = math.max(top, value) end
        local differs = raphe.statistics.rank_sums(modulated[i], plain[i]).p < 0.05
        if differs then stars[#stars + 1] = x[i] end
        if i > math.min(#modulated, #plain) // 2 then
            tested = tested + 1
            if differs then second_half = second_half + 1 end
        end
    end
    print(string.format("simple and plastic differ (rank sums, p < 0.05) in %d of %d kept iterations of the second half", second_half, tested))
    if #stars > 0 then
        local y = {}
        for i = 1, #stars do y[i] = 1.05 * top end
        series[#series + 1] = { kind = "points", name = "simple and plastic differ, p < 0.05", color = "#000000", x = stars, y = y, size = 3, marker = "diamond" }
    end
end
local picture = s.folder .. "/maze.svg"
raphe.plot {
    file = picture,
    layout = { rows = 1, columns = 2 },
    width = 220,
    panels = {
        { title = "Median and quartiles", x = { label = "Iteration", unit = "30 episodes each" }, y = { label = "Reward per episode" }, series = series },
        curves.strip(s.variants, reward, { label = "Reward per episode" }, "Each network at the end"),
    },
}
print("figure: " .. picture)
return (passed or o["so-far"]) and 0 or 1
