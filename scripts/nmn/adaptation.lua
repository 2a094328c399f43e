-- SPDX-License-Identifier: Apache-2.0
-- How the signal z of a trained NMN comes to tell the hidden offset of the biased target (Vecoven et al. 2019, Fig. 3; 2020,
-- Fig. 7): fresh episodes with frozen weights and sampled actions. Prints how well a ridge regression reads the offset alpha
-- from z(t), how steady z is, how many of its components live, and the rewards, and draws z and slopes against alpha.
--
--   raphe lua scripts/nmn/adaptation.lua             reduced: trains 80 iterations unless learning_curves.lua has done so
--   raphe lua scripts/nmn/adaptation.lua --full      published size: 400 iterations of 50 episodes of 1400 steps
--   options: --seed N  --episodes N  --iterations N  --out FOLDER  --threads N
--
-- Each half of the episodes is read by a regression that was fitted on the other half. Steadiness is the root mean square over episodes
-- and components of the standard deviation of z over time (from step 30 on), divided by that of its time mean over episodes: 0
-- for a z that is constant once the offset is known. The same numbers of the RNN's recurrent units stand beside them.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local training = require "training"

local RIDGE, SETTLED = 1e-3, 30

local o = protocol.options({ full = false, seed = 1, episodes = 1000, iterations = protocol.whole, threads = protocol.whole, out = "runs/nmn" }, raphe.args)
local suffix = o.full and "" or "_small"

--- Signals of fresh episodes; those of the network are called `signal`.
local function episodes(model, port)
    local run = training.run(model .. "_biased_target" .. suffix, o.seed, o.iterations, o)
    local changes = {}
    if o.full then changes = { { "learner.train_steps", 0 }, { "task.steps", 101 } } end
    if model == "nmn" then changes[#changes + 1] = { "actor_hidden.expose_modulation", true } end
    local s = training.session(run, changes, o)
    local record = { "task.alpha", "task.reward", "task.hit", port, model == "nmn" and "actor_hidden.total_slope" or nil }
    local r = s:evaluate { trials = o.episodes, record = record }.signals
    s:close()
    return {
        steps = #r["task.alpha"], alpha = r["task.alpha"][1]:reshape { o.episodes }:totable(),
        reward = r["task.reward"]:mean(2):reshape { #r["task.reward"] }:totable(), hit = r["task.hit"]:mean(2):reshape { #r["task.hit"] }:totable(),
        rewards = r["task.reward"], signal = r[port], slope = r["actor_hidden.total_slope"],
    }
end

--- R^2 at each step.
local function decodability(e)
    return raphe.analysis.decode(e.signal, e.alpha, { ridge = RIDGE, folds = 2, order = "blocks", threads = o.threads }).score
end

local function steadiness(e)
    local units, first = e.signal.shape[3], math.min(SETTLED, e.steps - 2) + 1
    local over_time, over_episodes = 0, 0
    local sum, square = e.signal[first] * 0, e.signal[first] * 0
    for t = first, e.steps do
        local z = e.signal[t]
        sum, square = sum + z, square + z * z
    end
    local count = e.steps - first + 1
    local means = sum / count
    local variances = square / count - means * means
    for u = 1, units do
        local mean = means:slice(2, u)
        over_time = over_time + variances:slice(2, u):mean()
        over_episodes = over_episodes + (mean * mean):mean() - mean:mean() ^ 2
    end
    return math.sqrt(math.max(over_time, 0)) / math.sqrt(over_episodes)
end

local function live(e)
    local count = 0
    for u = 1, e.signal.shape[3] do
        if e.signal:slice(3, u):max() > 0 then count = count + 1 end
    end
    return count
end

local nmn, rnn = episodes("nmn", "actor_signal.output"), episodes("rnn", "actor_gru.hidden")
local explained, baseline = decodability(nmn), decodability(rnn)

print("|    t | R^2 of z | R^2 of the RNN's units | mean reward | hit rate |")
print("|------|----------|------------------------|-------------|----------|")
for _, t in ipairs { 0, 1, 2, 5, 10, 12, 20, 50, 59, 100 } do
    if t < nmn.steps then
        print(string.format("| %4d | %8.2f | %22.2f | %11.2f | %8.2f |", t, explained[t + 1], baseline[t + 1], nmn.reward[t + 1], nmn.hit[t + 1]))
    end
end
local steady, unsteady = steadiness(nmn), steadiness(rnn)
print(string.format("standard deviation over time / over episodes: z %.2f, units of the RNN %.2f", steady, unsteady))
print(string.format("components of z that are ever above 0: %d of %d", live(nmn), nmn.signal.shape[3]))

local lowest, late = math.huge, training.window(nmn.reward, 21, nmn.steps)
for t = 21, nmn.steps do lowest = math.min(lowest, explained[t]) end
local passed = protocol.bars {
    { string.format("R^2 < 0.05 at the first step (here %.2f)", explained[1]), explained[1] < 0.05 },
    { string.format("R^2 > 0.8 from step 20 on (lowest %.2f)", lowest), lowest > 0.8 },
    { string.format("R^2 from step 20 on is above that at step 2 (%.2f)", explained[3]), lowest > explained[3] },
    { string.format("mean reward from step 20 on (%.2f) above that at the first (%.2f) by > 5", late, nmn.reward[1]), late - nmn.reward[1] > 5 },
    { string.format("z is steadier than the RNN's units (%.2f, %.2f)", steady, unsteady), steady < unsteady },
}

-- Figure: z against alpha at some steps, rewards, R^2, slopes against alpha.
local SHOWN = math.min(100, o.episodes) -- episodes
local function scatter(signal, t, label)
    local rows, series = signal[t + 1]:totable(), {}
    for u = 1, signal.shape[3] do
        local x, y = {}, {}
        for b = 1, SHOWN do x[b], y[b] = nmn.alpha[b], rows[b][u] end
        series[u] = { kind = "points", group = label .. u, x = x, y = y, size = 3 }
    end
    return { title = "t = " .. t, x = { label = "alpha" }, y = { label = label }, legend = "none", series = series }
end
local panels = {}
for _, t in ipairs { 0, 1, 2, 5, 10, nmn.steps > 50 and 50 or nmn.steps - 1 } do panels[#panels + 1] = scatter(nmn.signal, t, "z") end

-- Share of the episodes by step and reward.
local LOW, HIGH, CELLS = -20, 10, 30
local shares, counts = {}, {}
for c = 1, CELLS do shares[c] = {} end
for t = 1, nmn.steps do
    for c = 1, CELLS do counts[c] = 0 end
    for _, reward in ipairs(nmn.rewards[t]:reshape { o.episodes }:totable()) do
        local c = math.min(CELLS, math.floor((reward - LOW) / (HIGH - LOW) * CELLS) + 1)
        counts[c] = counts[c] + 1
    end
    for c = 1, CELLS do shares[c][t] = counts[c] / o.episodes end
end
panels[#panels + 1] = {
    title = "Rewards", x = { label = "t" }, y = { label = "Reward" },
    series = { { kind = "heatmap", values = shares, x_range = { -0.5, nmn.steps - 0.5 }, y_range = { LOW, HIGH }, label = "Share of the episodes" } },
}
local x = {}
for t = 1, nmn.steps do x[t] = t - 1 end
panels[#panels + 1] = {
    title = "Alpha read from the signal", x = { label = "t" }, y = { label = "R squared", min = -0.1, max = 1 },
    series = { { kind = "line", name = "z of the NMN", x = x, y = explained }, { kind = "line", name = "units of the RNN", x = x, y = baseline } },
}
panels[#panels + 1] = scatter(nmn.slope, nmn.steps - 1, "Slope")
panels[#panels].title = string.format("Slopes of the hidden units, t = %d", nmn.steps - 1)

local picture = string.format("%s/adaptation_%s.svg", o.out, o.full and "full" or "small")
raphe.plot { file = picture, title = "Adaptation within an episode of the biased target", layout = { rows = 3, columns = 3 }, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
