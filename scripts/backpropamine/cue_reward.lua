-- SPDX-License-Identifier: Apache-2.0
-- Cue-reward association (Miconi et al. 2019, Backpropamine, Fig. 1): does the runs of the study that are missing, prints its table and
-- bars, and draws learning curves (median and quartiles). Stopped and started again, it goes on where it was.
--
--   raphe lua scripts/backpropamine/cue_reward.lua            the study cue_small: 8000 iterations, 3 seeds
--   raphe lua scripts/backpropamine/cue_reward.lua --full     the study cue_reward: published size (days of computing)
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local LABELS = { simple = "simple neuromodulation", retroactive = "retroactive neuromodulation", plastic = "plastic, not modulated", none = "no plasticity" }

local o = protocol.options({ full = false, seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local s = curves.study(o.full and "cue_reward" or "cue_small", o)
if not s then return 1 end

local function reward(run) return run.measures.reward end
curves.table(s.variants, reward, "reward per episode")
local passed = protocol.bars(curves.bars(s.results))

-- The authors keep every 100th iteration of 180,000 and average 20 of these.
local every, width = o.full and 100 or 20, 20
local series = {}
for _, variant in ipairs(s.variants) do
    local band, line = curves.quartiles(curves.of(variant, "reward"), variant.name, LABELS[variant.name], every, width)
    series[#series + 1], series[#series + 2] = band, line
end
series[#series + 1] = { kind = "hline", at = o.full and 16.2 or 12.17, label = "ideal observer" }
local picture = s.folder .. "/cue_reward.svg"
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
return passed and 0 or 1
