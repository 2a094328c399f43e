-- SPDX-License-Identifier: Apache-2.0
-- Cue-reward association (Miconi et al. 2019, Fig. 1; with --fixed also Fig. 4 at reduced scale): trains the variants over
-- several seeds, prints the final rewards against the acceptance bars, and draws median learning curves with quartiles.
--
--   raphe lua scripts/backpropamine/cue_reward.lua                 reduced scale, setting A, 4 rules x 3 seeds
--   raphe lua scripts/backpropamine/cue_reward.lua --fixed         setting B: fixed against fresh random cues
--   raphe lua scripts/backpropamine/cue_reward.lua --full          published size (days of computing)
--   options: --seeds N  --iterations N  --out FOLDER  --threads N
local raphe = require "raphe"
local protocol = require "raphe.protocol"

--- Rewards of one training, by iteration.
local function train(name, seed, o)
    local e = raphe.load(name)
    local iterations = o.iterations or e:get("iterations")
    local s = e:session { seed = seed, threads = o.threads }
    local rewards = {}
    local begun = raphe.clock()
    s:train { iterations = iterations, on_iteration = function(m) rewards[#rewards + 1] = m.reward end }
    raphe.log(string.format("%-26s seed %d  reward %6.2f  (%d iterations, %.0f s)", name, seed, protocol.tail(rewards, math.max(1, iterations // 8)), iterations, raphe.clock() - begun))
    return rewards
end

local o = protocol.options({ full = false, fixed = false, seeds = 3, out = "runs/cue_reward", iterations = protocol.whole, threads = protocol.whole }, raphe.args)
local variants
if o.full then
    variants = {
        { "cue_reward_simple", "simple", at_least = 12 }, { "cue_reward_retro", "retroactive", at_least = 12 },
        { "cue_reward_plastic", "plastic", at_most = 5 }, { "cue_reward_none", "none", at_most = 5 },
    }
elseif o.fixed then
    variants = {
        { "cue_small_B_fixed", "simple, fixed cues", at_least = 10 }, { "cue_small_B_fixed_plastic", "plastic, fixed cues", at_least = 10 },
        { "cue_small_B_simple", "simple, random cues", at_least = 9 }, { "cue_small_B_plastic", "plastic, random cues", at_most = 2 },
    }
else
    variants = {
        { "cue_small_A_simple", "simple", at_least = 9 }, { "cue_small_A_retro", "retroactive", at_least = 9 },
        { "cue_small_A_plastic", "plastic", at_most = 2 }, { "cue_small_A_none", "none", at_most = 2 },
    }
end

local series, rows, passed = {}, {}, true
for _, variant in ipairs(variants) do
    local name, label = variant[1], variant[2]
    local curves, finals = {}, {}
    for seed = 1, o.seeds do
        local rewards = train(name, seed, o)
        -- The bars are about the last 500 to 1000 of 8000 iterations (full scale: the last 2000).
        finals[seed] = protocol.tail(rewards, o.full and 2000 or math.max(1, #rewards // 8))
        curves[seed] = protocol.smooth(rewards, math.max(1, #rewards // 50))
    end
    local x, middle, lower, upper = {}, {}, {}, {}
    local stride = math.max(1, #curves[1] // 500)
    for i = stride, #curves[1], stride do
        local values = {}
        for seed = 1, o.seeds do values[seed] = curves[seed][i] end
        x[#x + 1], middle[#middle + 1] = i, raphe.statistics.quantile(values, 0.5)
        lower[#lower + 1], upper[#upper + 1] = raphe.statistics.quantile(values, 0.25), raphe.statistics.quantile(values, 0.75)
    end
    if o.seeds > 1 then series[#series + 1] = { kind = "band", group = label, x = x, lower = lower, upper = upper } end
    series[#series + 1] = { kind = "line", group = label, name = label, x = x, y = middle }

    local median = raphe.statistics.quantile(finals, 0.5)
    local good = (not variant.at_least or median >= variant.at_least) and (not variant.at_most or median <= variant.at_most)
    passed = passed and good
    local all = {}
    for seed = 1, o.seeds do all[seed] = string.format("%.2f", finals[seed]) end
    rows[#rows + 1] = string.format("| %-20s | %7.2f | %-8s | %-4s | %s |", label, median,
        variant.at_least and (">= " .. variant.at_least) or ("<= " .. variant.at_most), good and "yes" or "NO", table.concat(all, ", "))
end

print("| variant              |  median | bar      | met  | seeds |")
print("|----------------------|---------|----------|------|-------|")
for _, row in ipairs(rows) do print(row) end

local picture = o.out .. (o.full and "_full" or o.fixed and "_fixed" or "_small") .. ".svg"
raphe.plot {
    file = picture,
    title = string.format("Cue-reward association: median and quartiles of %d seeds", o.seeds),
    panels = { { x = { label = "Iteration" }, y = { label = "Reward per episode", unit = "reward units" }, series = series } },
}
print("figure: " .. picture)
print(passed and "all bars are met" or "some bars are NOT met")
return passed and 0 or 1
