-- SPDX-License-Identifier: Apache-2.0
-- Expected and unexpected uncertainty (Yu and Dayan 2005): a cue that is valid in 95, 50 and 75 % of the trials, in blocks of 200.
-- Prints what acetylcholine settles at and how far noradrenaline jumps at the changes, and draws both.
--
--   raphe lua scripts/learners/cue_validity.lua
--   options: --trials N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local o = protocol.options({ trials = 200, out = "learners" }, raphe.args)
local s = raphe.load("cue_validity"):session()
local r = s:evaluate { trials = o.trials, record = { "inference.acetylcholine", "inference.noradrenaline", "inference.switch", "task.validity" } }.signals
local steps = r["task.validity"].shape[1]
local function course(port) return r[port]:mean(2):reshape { steps }:totable() end
local ach, ne, validity, switches = course("inference.acetylcholine"), course("inference.noradrenaline"), course("task.validity"), course("inference.switch")
local function mean(values, first, last)
    local sum = 0
    for t = first, last do sum = sum + values[t] end
    return sum / (last - first + 1)
end
print("| block | validity | acetylcholine, last 50 | noradrenaline, last 50 | noradrenaline, largest in the first 30 | switches in the block |")
print("|-------|----------|------------------------|------------------------|----------------------------------------|-----------------------|")
for block = 1, steps // 200 do
    local first = (block - 1) * 200
    local largest = 0
    for t = first + 1, first + 30 do largest = math.max(largest, ne[t]) end
    print(string.format("| %d | %.2f | %.3f | %.3f | %.3f | %.2f |", block, validity[first + 1], mean(ach, first + 151, first + 200), mean(ne, first + 151, first + 200), largest,
        mean(switches, first + 1, first + 200) * 200))
end
local x, truth = {}, {}
for t = 1, steps do x[t], truth[t] = t - 1, 1 - validity[t] end
local picture = o.out .. "/cue_validity.svg"
raphe.plot { file = picture, panels = { { title = "Uncertainty of a cue", x = { label = "Trial" }, y = { label = "Mean level" }, series = {
    { kind = "line", name = "acetylcholine", x = x, y = ach }, { kind = "line", name = "noradrenaline", x = x, y = ne }, { kind = "line", name = "1 - validity", x = x, y = truth, style = "dash" } } } } }
print("figure: " .. picture)
