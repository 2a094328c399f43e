-- SPDX-License-Identifier: Apache-2.0
-- Modulators of several trained networks (Miconi et al. 2019, Backpropamine, Fig. 3): M(t), rewards and what is shown in one episode of
-- each of four networks with simple and four with retroactive modulation. The paper finds that they differ strongly: the modulator
-- answers reward with a sign of its own in each network. Networks that are missing are trained.
--
--   raphe lua scripts/backpropamine/modulators.lua           reduced: cue_small_A, 8000 iterations
--   raphe lua scripts/backpropamine/modulators.lua --full    published size (days of computing)
--   options: --seeds N (4)  --iterations N  --trials N (200; for the table)  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local o = protocol.options({ full = false, seeds = 4, iterations = protocol.whole, trials = 200, workers = protocol.whole, out = "" }, raphe.args)
local base = o.full and "cue_reward" or "cue_small_A"
local s = curves.study({
    raphe_study = 1,
    name = o.full and "modulators" or "modulators_small",
    variants = { simple = { experiment = base .. "_simple" }, retroactive = { experiment = base .. "_retro" } },
    seeds = o.seeds,
    measures = { reward = { metric = "reward", over = 0.125 } },
}, o)
if not s then return 1 end
table.sort(s.variants, function(a, b) return a.name > b.name end) -- simple first

--- What is shown at each step of a trial, as rows of the raster: 1 blank, then the cues in the order in which they appear, last Go.
local function shown(observation, trial, bits)
    local rows, known, count = {}, {}, 0
    for t = 1, observation.shape[1] do
        local text = {}
        for i = 1, bits do text[i] = string.format("%g", observation:get(t, trial, i)) end
        local pattern = table.concat(text, " ")
        if observation:get(t, trial, bits + 1) == 1 then
            rows[t] = "go"
        elseif pattern:find("[1-9]") then
            if not known[pattern] then
                count = count + 1
                known[pattern] = count
            end
            rows[t] = known[pattern]
        else
            rows[t] = "blank"
        end
    end
    return rows
end

print("| network        | reward | M: lowest  highest | M after reward +1 | after -1 | else  | negative after +1 |")
print("|----------------|--------|--------------------|-------------------|----------|-------|-------------------|")
local grid, signs, ranges = {}, {}, {}
for v, variant in ipairs(s.variants) do
    for n, run in ipairs(variant.runs) do
        local session = curves.session(run.folder, { { "trials", o.trials } })
        local bits = session:experiment():get("task.cue_bits")
        local cues = session:experiment():get("task.cues")
        local signals = session:evaluate { trials = o.trials, record = { "modulator.output", "task.reward", "task.observation" } }.signals
        local M, reward, observation = signals["modulator.output"], signals["task.reward"], signals["task.observation"]
        session:close()
        local steps = M.shape[1]
        local sums, counts, negative = { 0, 0, 0 }, { 0, 0, 0 }, 0
        for b = 1, o.trials do
            for t = 2, steps do
                local before, now = reward:get(t - 1, b, 1), M:get(t, b, 1)
                local kind = before > 0 and 1 or before < 0 and 2 or 3
                sums[kind], counts[kind] = sums[kind] + now, counts[kind] + 1
                if kind == 1 and now < 0 then negative = negative + 1 end
            end
        end
        for kind = 1, 3 do sums[kind] = sums[kind] / math.max(1, counts[kind]) end
        negative = negative / math.max(1, counts[1])
        signs[#signs + 1] = sums[1]
        ranges[#ranges + 1] = M:max() - M:min()
        print(string.format("| %-11s %2d | %6.2f | %8.2f %9.2f | %17.2f | %8.2f | %5.2f | %15.0f %% |", variant.name, run.seed, run.measures.reward, M:min(),
            M:max(), sums[1], sums[2], sums[3], 100 * negative))

        -- One episode: M and rewards above, what is shown below.
        local x, y, rewards = {}, {}, { x = {}, y = {} }
        for t = 1, steps do
            x[t], y[t] = t - 1, M:get(t, 1, 1)
            local r = reward:get(t, 1, 1)
            if r ~= 0 then
                rewards.x[#rewards.x + 1], rewards.y[#rewards.y + 1] = t, r -- seen one step later
            end
        end
        local rows = { x = {}, y = {} }
        for t, what in ipairs(shown(observation, 1, bits)) do
            rows.x[t] = t - 1
            rows.y[t] = what == "blank" and 0 or what == "go" and cues + 1 or what
        end
        local names = { "blank" }
        for cue = 1, cues do names[cue + 1] = "cue " .. cue end
        names[cues + 2] = "Go"
        grid[2 * n - 1], grid[2 * n] = grid[2 * n - 1] or {}, grid[2 * n] or {}
        grid[2 * n - 1][v] = {
            title = string.format("%s, seed %d", variant.name, run.seed), x = { min = -1, max = steps }, y = { min = -1.15, max = 1.15 },
            legend = n == 1 and v == 1 and "outside" or "none",
            series = {
                { kind = "line", name = "M(t)", x = x, y = y },
                { kind = "points", name = "reward in the input", x = rewards.x, y = rewards.y, size = 4, marker = "triangle" },
            },
        }
        grid[2 * n][v] = {
            x = { label = n == #variant.runs and "Step" or nil, min = -1, max = steps }, y = { categories = names },
            series = { { kind = "raster", x = rows.x, y = rows.y } },
        }
    end
end

local lowest, highest = math.huge, -math.huge
for _, sign in ipairs(signs) do lowest, highest = math.min(lowest, sign), math.max(highest, sign) end
local narrow = 0
for _, range in ipairs(ranges) do if range < 1 then narrow = narrow + 1 end end
local passed = protocol.bars {
    { string.format("the modulator moves over more than 1 in at least 3/4 of the networks (%d of %d)", #ranges - narrow, #ranges), narrow <= #ranges / 4 },
    { string.format("M after a reward differs between networks by more than 0.5 (from %.2f to %.2f)", lowest, highest), highest - lowest > 0.5 },
}

local panels, heights = {}, {}
for row, pair in ipairs(grid) do
    heights[row] = row % 2 == 1 and 1 or 0.7
    for v = 1, #s.variants do panels[#panels + 1] = pair[v] end
end
local picture = s.folder .. "/modulators.svg"
raphe.plot { file = picture, layout = { rows = #grid, columns = #s.variants, row_heights = heights }, width = 240, height = 48 * #grid, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
