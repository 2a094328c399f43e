-- SPDX-License-Identifier: Apache-2.0
-- Freeze and switch (Vecoven et al. 2020, Fig. 10): one long episode of a trained NMN in five phases. (a) The modulator is
-- locked in its initial state, (b) free, (c) locked in the state that it has reached by the end of b; (d) it stays locked while
-- the task changes, (e) free again. Locking holds the states of the modulator's recurrent units, and with them the signal z for
-- hidden layers and heads alike. A second set of the same episodes is never locked after phase a, for comparison.
--
--   raphe lua scripts/nmn/freeze_switch.lua                     benchmark 1 (biased target), reduced: the offset is drawn anew
--   raphe lua scripts/nmn/freeze_switch.lua --benchmark 3       benchmark 3 (two targets), reduced: good and bad are exchanged
--   raphe lua scripts/nmn/freeze_switch.lua --benchmark 3 --full   the published experiment
--   options: --seed N  --episodes N  --phase N (steps)  --iterations N  --out FOLDER  --threads N
--
-- Networks that learning_curves.lua has trained in FOLDER (runs/nmn) are used, others are trained first.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local training = require "training"

local PHASES = { "a", "b", "c", "d", "e" }
local MEANING = { a = "locked, initial", b = "free", c = "locked, adapted", d = "locked, task changed", e = "free" }

local o = protocol.options({ full = false, benchmark = 1, seed = 1, episodes = protocol.whole, phase = protocol.whole, iterations = protocol.whole, threads = protocol.whole, out = "runs/nmn" }, raphe.args)
if o.benchmark ~= 1 and o.benchmark ~= 3 then error("--benchmark: expected 1 or 3, got " .. o.benchmark, 0) end
local task = training.tasks[o.benchmark]
o.phase = o.phase or (o.benchmark == 1 and 40 or 100)
o.episodes = o.episodes or (o.benchmark == 1 and 200 or 20)
local steps = #PHASES * o.phase

local run = training.run("nmn_" .. task .. (o.full and "" or "_small"), o.seed, o.iterations, o)
-- One trial at a time, since each is locked in a state of its own.
local session = training.session(run, {
    { "learner.train_steps", 0 }, { "task.steps", steps }, { "task.switch_steps", { 3 * o.phase } }, { "trials", 1 }, { "chunk", 1 },
}, o)

local memories = {} -- nodes of the modulator that have a state, with their units
for _, name in ipairs { "actor_gru", "actor_gru2" } do
    if run.experiment:json().nodes[name] then memories[#memories + 1] = { name .. ".hidden", run.experiment:get(name .. ".units") } end
end

--- Holds all states from step `from` to before step `to`. @param value  function (port, unit from 1)
local function lock(list, from, to, value)
    for _, memory in ipairs(memories) do
        for unit = 1, memory[2] do
            list[#list + 1] = { port = memory[1], component = unit - 1, operation = "clamp", value = value(memory[1], unit), from = from, to = to }
        end
    end
    return list
end
local function episode(number, interventions, record)
    return session:evaluate { stream = number, trials = 1, record = record, interventions = interventions }.signals
end

local states = {}
for _, memory in ipairs(memories) do states[#states + 1] = memory[1] end
local record = { "task.reward", "task.hit", table.unpack(states) }
local locked, free = {}, {} -- by phase: rewards, hits of all steps of all episodes
for _, set in ipairs { locked, free } do
    for _, phase in ipairs(PHASES) do set[phase] = { rewards = {}, good = 0, bad = 0 } end
    set.curve = {}
    for t = 1, steps do set.curve[t] = 0 end
end
local function count(set, signals)
    local rewards, hits = signals["task.reward"]:reshape { steps }:totable(), signals["task.hit"]:reshape { steps }:totable()
    for t = 1, steps do
        local phase = set[PHASES[(t - 1) // o.phase + 1]]
        -- The second half of a phase, when what is free has adapted.
        if (t - 1) % o.phase >= o.phase // 2 then phase.rewards[#phase.rewards + 1] = rewards[t] end
        if hits[t] == 1 then phase.good = phase.good + 1 elseif hits[t] == 2 then phase.bad = phase.bad + 1 end
        set.curve[t] = set.curve[t] + rewards[t] / o.episodes
    end
end
for number = 1, o.episodes do
    local initial = lock({}, 0, o.phase, function() return 0 end)
    local first = episode(number, initial, record)
    count(free, first)
    -- Until phase c both episodes are the same, so the first says in which state the second is locked.
    local adapted = lock(initial, 2 * o.phase, 4 * o.phase, function(port, unit) return first[port]:get(2 * o.phase, 1, unit) end)
    count(locked, episode(number, adapted, record))
end

local bars = {}
local per_100 = 100 / (o.episodes * o.phase)
if o.benchmark == 1 then
    print(string.format("| phase of %3d steps       | reward, second half | hits per 100 steps | reward, never locked after a |", o.phase))
    print("|--------------------------|---------------------|--------------------|------------------------------|")
    local late, never = {}, {}
    for _, phase in ipairs(PHASES) do
        late[phase] = training.moments(locked[phase].rewards)
        never[phase] = training.moments(free[phase].rewards)
        print(string.format("| %s  %-21s | %19.2f | %18.1f | %28.2f |", phase, MEANING[phase], late[phase], locked[phase].good * per_100, never[phase]))
    end
    bars = {
        { "free (b), the reward is above that of the initial state (a) by > 5", late.b - late.a > 5 },
        { "locked where it has adapted (c), the reward falls by < 3", late.b - late.c < 3 },
        { "locked while the offset changes (d), the reward falls by > 5", late.c - late.d > 5 },
        { "free again (e), the reward recovers to within 3 of b", late.b - late.e < 3 },
        { "never locked, the reward after the change is above that of d by > 5", never.d - late.d > 5 },
    }
else
    print(string.format("| phase of %3d steps       | good hits per 100 steps | bad hits per 100 steps | good/(good+bad) | never locked after a |", o.phase))
    print("|--------------------------|-------------------------|------------------------|-----------------|----------------------|")
    local share = {}
    for _, phase in ipairs(PHASES) do
        local l, f = locked[phase], free[phase]
        share[phase] = l.good / (l.good + l.bad)
        print(string.format("| %s  %-21s | %23.2f | %22.2f | %15.2f | %20.2f |", phase, MEANING[phase], l.good * per_100, l.bad * per_100, share[phase], f.good / (f.good + f.bad)))
    end
    for _, phase in ipairs { "b", "c", "e" } do bars[#bars + 1] = { string.format("good/(good+bad) > 0.7 in phase %s (here %.2f)", phase, share[phase]), share[phase] > 0.7 } end
    bars[#bars + 1] = { string.format("good/(good+bad) < 0.3 in phase d (here %.2f)", share.d), share.d < 0.3 }
end
local passed = protocol.bars(bars)

local x, series = {}, {}
for t = 1, steps do x[t] = t - 1 end
local width = o.benchmark == 1 and 1 or 10
for i, set in ipairs { locked, free } do
    series[i] = { kind = "line", name = ({ "locked in a, c, d", "locked in a only" })[i], x = x, y = protocol.smooth(set.curve, width) }
end
for i = 2, #PHASES do series[#series + 1] = { kind = "vline", at = (i - 1) * o.phase, label = PHASES[i] } end
local picture = string.format("%s/freeze_switch_%s_%s.svg", o.out, task, o.full and "full" or "small")
raphe.plot {
    file = picture,
    title = "A locked modulator does not notice that the task changes",
    panels = { { x = { label = "t" }, y = { label = width == 1 and "Mean reward" or string.format("Mean reward, mean of %d steps", width) }, series = series } },
}
print("figure: " .. picture)
return passed and 0 or 1
