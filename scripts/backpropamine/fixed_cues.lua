-- SPDX-License-Identifier: Apache-2.0
-- Fixed cues (Miconi et al. 2019, Backpropamine, Fig. 4): cues that are the same in all episodes are learned by plasticity without
-- modulation, too, but more slowly; with soft and with hard clipping of the trace. Does the runs of the study that are missing, prints its
-- table, bars and how long each network took, and draws learning curves.
--
--   raphe lua scripts/backpropamine/fixed_cues.lua           the study cue_small_fixed: setting B, 3000 iterations, 3 seeds
--   raphe lua scripts/backpropamine/fixed_cues.lua --full    the study cue_fixed: published size (days of computing)
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local o = protocol.options({ full = false, seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local s = curves.study(o.full and "cue_fixed" or "cue_small_fixed", o)
if not s then return 1 end
local every, width, ideal = o.full and 100 or 10, 20, o.full and 16.2 or 12.17

local function reward(run) return run.measures.reward end
curves.table(s.variants, reward, "reward per episode")

--- After how many iterations the mean of so many is half of what an ideal observer gets; none: one more than there are.
local function half_learned(list, window)
    local sum = 0
    for i, value in ipairs(list) do
        sum = sum + value - (i > window and list[i - window] or 0)
        if i >= window and sum / window >= ideal / 2 then return i end
    end
    return #list + 1
end
local took, lists, length = {}, {}, 0
for _, variant in ipairs(s.variants) do
    lists[variant.name] = curves.of(variant, "reward")
    local all = {}
    for i, list in ipairs(lists[variant.name]) do
        all[i] = half_learned(list, o.full and 1000 or 50)
        length = math.max(length, #list)
    end
    took[variant.name] = raphe.statistics.median(all)
    print(string.format("%-20s half of the ideal after %s iterations (median)", variant.name, took[variant.name] <= length and string.format("%d", took[variant.name] // 1) or "more than all"))
end
local bars = curves.bars(s.results)
for _, clip in ipairs { { "", "hard" }, { "_soft", "soft" } } do
    bars[#bars + 1] = { string.format("fixed cues, %s clipping: plastic takes longer than simple to half of the ideal", clip[2]), took["plastic_fixed" .. clip[1]] > took["simple_fixed" .. clip[1]] }
end
local passed = protocol.bars(bars)

local panels = {}
for _, panel in ipairs { { "_fixed", "Fixed cues, hard clipping" }, { "_fixed_soft", "Fixed cues, soft clipping" }, { "_random", "Fresh random cues" } } do
    local series = {}
    for _, kind in ipairs { { "simple", "simple neuromodulation" }, { "plastic", "plastic, not modulated" } } do
        if lists[kind[1] .. panel[1]] then
            local band, line = curves.quartiles(lists[kind[1] .. panel[1]], kind[1], kind[2], every, width)
            series[#series + 1], series[#series + 2] = band, line
        end
    end
    if #series > 0 then
        series[#series + 1] = { kind = "hline", at = ideal, label = "ideal observer" }
        panels[#panels + 1] = { title = panel[2], x = { label = "Iteration" }, y = { label = "Reward per episode", min = -2 }, series = series, legend = #panels == 0 and "bottom-right" or "none" }
    end
end
local picture = s.folder .. "/fixed_cues.svg"
raphe.plot { file = picture, layout = { rows = 1, columns = #panels }, width = 90 * #panels, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
