-- SPDX-License-Identifier: Apache-2.0
-- Completion of binary patterns (Miconi et al. 2018, Differentiable plasticity, Fig. 2): a plastic network learns to store five patterns
-- within an episode, one without plasticity stays at what can be guessed. Does the runs of the study that are missing, prints the wrong
-- bits of the training episodes and the bars, and draws them. Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/backpropamine/pattern_completion.lua          the study pattern_completion_small: 100 bits, 400 episodes, 3 seeds
--   raphe lua scripts/backpropamine/pattern_completion.lua --full   the study pattern_completion: 1000 bits, 2000 episodes
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local LABELS = { plastic = "plastic", none = "no plasticity" }

local o = protocol.options({ full = false, seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local s = curves.study(o.full and "pattern_completion" or "pattern_completion_small", o)
if not s then return 1 end

--- By episode: the fraction of bits of the answer whose sign is wrong, of all bits and of those that were zeroed.
local function wrong_bits(folder)
    local run = raphe.open_run(folder)
    local answers, targets, cues = run.signals("network.hidden"), run.signals("task.target"), run.signals("task.cue")
    local all, zeroed = {}, {}
    for i, answer in ipairs(answers) do
        local last = answer.tensor.shape[1]
        local y, target, cue = answer.tensor[last][1]:totable(), targets[i].tensor[last][1]:totable(), cues[i].tensor[last][1]:totable()
        local wrong, wrong_zeroed, zeros = 0, 0, 0
        for k = 1, #y do
            local is_wrong = y[k] * target[k] <= 0
            if is_wrong then wrong = wrong + 1 end
            if cue[k] == 0 then
                zeros = zeros + 1
                if is_wrong then wrong_zeroed = wrong_zeroed + 1 end
            end
        end
        all[i], zeroed[i] = wrong / #y, wrong_zeroed / math.max(1, zeros)
    end
    return all, zeroed
end
local function mean(values, first, last)
    local sum = 0
    for i = first, last do sum = sum + values[i] end
    return sum / (last - first + 1)
end

local episodes
for _, variant in ipairs(s.variants) do
    variant.all = {}
    for i, run in ipairs(variant.runs) do
        variant.all[i], run.zeroed = wrong_bits(run.folder)
        episodes = #variant.all[i]
    end
end
-- Reduced, the specification looks at episodes 101 to 200 and 301 to 400.
local quarter = math.max(1, episodes // 4)
local function window(values, number) return mean(values, (number - 1) * quarter + 1, math.min(number * quarter, episodes)) end
print(string.format("| network       | seed | wrong bits (of the zeroed), episodes %4d-%4d | episodes %4d-%4d |", quarter + 1, 2 * quarter, 3 * quarter + 1, 4 * quarter))
print("|---------------|------|------------------------------------------------|--------------------|")
local last = {}
for _, variant in ipairs(s.variants) do
    last[variant.name] = {}
    for i, run in ipairs(variant.runs) do
        local all = variant.all[i]
        last[variant.name][i] = window(all, 4)
        print(string.format("| %-13s | %4d | %24.1f %% %10.1f %%          | %6.1f %% %6.1f %% |", LABELS[variant.name], run.seed, 100 * window(all, 2), 100 * window(run.zeroed, 2),
            100 * window(all, 4), 100 * window(run.zeroed, 4)))
    end
end
local median = raphe.statistics.median
local bars = curves.bars(s.results)
bars[#bars + 1] = { string.format("plastic: at most 5 %% of the bits are wrong in the last quarter (median, here %.1f)", 100 * median(last.plastic)), median(last.plastic) <= 0.05 }
bars[#bars + 1] = { string.format("no plasticity: at least 20 %% are (here %.1f)", 100 * median(last.none)), median(last.none) >= 0.20 }
local passed = protocol.bars(bars)

local series = {}
for _, variant in ipairs(s.variants) do
    local band, line = curves.quartiles(variant.all, variant.name, LABELS[variant.name], 1, math.max(1, episodes // 20))
    series[#series + 1], series[#series + 2] = band, line
end
series[#series + 1] = { kind = "hline", at = 0.25, label = "guessing" }
local picture = s.folder .. "/pattern_completion.svg"
raphe.plot {
    file = picture,
    panels = { { x = { label = "Episode" }, y = { label = "Wrong bits", min = 0 }, series = series } },
}
print("figure: " .. picture)
return passed and 0 or 1
