-- SPDX-License-Identifier: Apache-2.0
-- Where a trained network keeps what it has learned (Miconi et al. 2019, Backpropamine): one network of the cue-reward task is probed in
-- episodes that it would otherwise solve, without any retraining:
--
--   freeze    the Hebbian trace is frozen halfway (M held at 0 from then on)
--   no M      M held at 0 from the start: no plasticity at all
--   flipped   the sign of M is turned around
--   traces    halfway, neighbouring episodes exchange their traces (and, for comparison, their activities); all episodes of the batch
--             have the same cues, so that a network that answers for the target of the other episode is seen to do so
--   reversed  halfway, another cue becomes the target
--
-- It prints the fraction of correct answers before and after, checks what is expected of a network that keeps the target in its
-- traces, and draws the course of all probes.
--
--   raphe lua scripts/backpropamine/probes.lua                     a network with simple modulation, reduced (cue_small_A_simple)
--   raphe lua scripts/backpropamine/probes.lua --rule retroactive  one with retroactive modulation
--   raphe lua scripts/backpropamine/probes.lua --full              published size (days of training)
--   options: --seed N (1)  --trials N (600)  --iterations N  --threads N  --out FOLDER (runs/backpropamine)
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local curves = require "curves"

local o = protocol.options({ full = false, rule = "simple", seed = 1, trials = 600, iterations = protocol.whole, threads = protocol.whole, out = "runs/backpropamine" }, raphe.args)
if o.rule ~= "simple" and o.rule ~= "retroactive" then error("--rule: expected simple or retroactive, got " .. o.rule, 0) end
local name = (o.full and "cue_reward_" or "cue_small_A_") .. (o.rule == "simple" and "simple" or "retro")
local folder = string.format("%s/%s_seed_%d", o.out, name, o.seed)
local experiment = raphe.load(name)
raphe.run(experiment, { out = folder, seed = o.seed, iterations = o.iterations, threads = o.threads, resume = true })
local steps = experiment:get("task.steps")
local half = steps // 2
o.trials = o.trials + o.trials % 2

local shared = { { "task.shared_cues", true }, { "trials", o.trials }, { "chunk", 10 } }
local session = curves.session(folder, shared, o.threads)
local reversed = curves.session(folder, { shared[1], shared[2], shared[3], { "task.switch_steps", { half } } }, o.threads)

local frozen = { port = "modulator.output", operation = "clamp", value = 0, from = half }
local function swap(state) return { port = "agent." .. state, operation = "swap", from = half } end
local traces = { swap "hebbian_trace" }
if o.rule == "retroactive" then traces[2] = swap "eligibility" end
local PROBES = {
    { "intact", "Intact", {} },
    { "freeze", "Trace frozen halfway", { frozen } },
    { "no M", "M held at 0", { { port = "modulator.output", operation = "clamp", value = 0 } } },
    { "flipped", "Sign of M flipped", { { port = "modulator.output", operation = "scale", value = -1 } } },
    { "traces", "Traces exchanged halfway", traces },
    { "activities", "Activities exchanged halfway", { swap "hidden" } },
    { "reversed", "Another target halfway", {}, reversed },
}

-- Correct answers by step, of all episodes, and of those whose neighbour looks for the same or another target.
local function probe(interventions, under)
    local signals = (under or session):evaluate { trials = o.trials, record = { "task.reward", "task.target" }, interventions = interventions }.signals
    local reward, target = signals["task.reward"]:reshape { steps, o.trials }:totable(), signals["task.target"]:reshape { steps, o.trials }:totable()
    local groups = {}
    for _, group in ipairs { "all", "same", "other" } do
        local correct, answers = {}, {}
        for t = 1, steps do
            correct[t], answers[t] = 0, 0
            for b = 1, o.trials do
                local neighbour = b % 2 == 1 and b + 1 or b - 1
                local kind = target[1][b] == target[1][neighbour] and "same" or "other"
                if reward[t][b] ~= 0 and (group == "all" or group == kind) then
                    answers[t] = answers[t] + 1
                    if reward[t][b] > 0 then correct[t] = correct[t] + 1 end
                end
            end
        end
        groups[group] = { correct = correct, answers = answers }
    end
    return groups
end
--- Fraction correct in the steps first ... last, from 0.
local function fraction(group, first, last)
    local correct, answers = 0, 0
    for t = first + 1, last + 1 do correct, answers = correct + group.correct[t], answers + group.answers[t] end
    return answers > 0 and correct / answers or 0 / 0
end

local quarter = steps // 4
print(string.format("Fraction of correct answers, %d episodes of %s, seed %d", o.trials, name, o.seed))
print(string.format("| probe      | steps %3d-%3d | steps %3d-%3d | steps %3d-%3d | there: neighbour's target the same | another |", quarter, half - 1, half, half + quarter - 1, half + quarter, steps - 1))
print("|------------|---------------|---------------|---------------|------------------------------------|---------|")
local late, results = {}, {}
for _, p in ipairs(PROBES) do
    local groups = probe(p[3], p[4])
    results[p[1]] = groups
    late[p[1]] = { all = fraction(groups.all, half + quarter, steps - 1), same = fraction(groups.same, half + quarter, steps - 1), other = fraction(groups.other, half, steps - 1) }
    print(string.format("| %-10s | %13.3f | %13.3f | %13.3f | %34.3f | %7.3f |", p[1], fraction(groups.all, quarter, half - 1), fraction(groups.all, half, half + quarter - 1), late[p[1]].all,
        fraction(groups.same, half + quarter, steps - 1), fraction(groups.other, half + quarter, steps - 1)))
end

local early = fraction(results.intact.all, quarter, half - 1)
local at_once = function(probe_name, group) return fraction(results[probe_name][group], half, half + quarter - 1) end
local passed = protocol.bars {
    { string.format("intact, more than 0.9 of the late answers are correct (%.3f)", late.intact.all), late.intact.all > 0.9 },
    { string.format("without M fewer than 0.65 are (%.3f): what is learned within the episode is in the traces", late["no M"].all), late["no M"].all < 0.65 },
    { string.format("with the sign of M flipped fewer than 0.65 are (%.3f)", late.flipped.all), late.flipped.all < 0.65 },
    { string.format("with frozen traces more than 0.75 are (%.3f): it need not learn on", late.freeze.all), late.freeze.all > 0.75 },
    { string.format("with the traces of an episode with another target fewer than 0.5 are at once (%.3f)", at_once("traces", "other")), at_once("traces", "other") < 0.5 },
    { string.format("with those of one with the same target more than 0.75 are (%.3f)", at_once("traces", "same")), at_once("traces", "same") > 0.75 },
    { string.format("with its activities more than 0.75 are (%.3f): the target moves with the traces", at_once("activities", "other")), at_once("activities", "other") > 0.75 },
    { string.format("after a reversal fewer answers are correct at first than before (%.3f, %.3f)", at_once("reversed", "all"), early), at_once("reversed", "all") < early - 0.1 },
}

-- Figure: means over bins of so many steps.
local bin = math.max(1, steps // 12)
local function course(group)
    local x, y = {}, {}
    for first = 0, steps - bin, bin do
        local value = fraction(group, first, first + bin - 1)
        x[#x + 1], y[#y + 1] = first + bin / 2, value == value and value or raphe.json.null
    end
    return x, y
end
local function line(group, label, color)
    local x, y = course(group)
    return { kind = "line", name = label, group = label, color = color, x = x, y = y, markers = true }
end
local panels = {}
for _, p in ipairs(PROBES) do
    if p[1] ~= "intact" then
        local series = { line(results.intact.all, "intact", "#999999") }
        if p[1] == "traces" or p[1] == "activities" then
            series[2] = line(results[p[1]].same, "with an episode of the same target")
            series[3] = line(results[p[1]].other, "with one of another target")
        else
            series[2] = line(results[p[1]].all, "probed")
        end
        if p[1] ~= "no M" and p[1] ~= "flipped" then series[#series + 1] = { kind = "vline", at = half } end
        series[#series + 1] = { kind = "hline", at = 0.5, label = "chance" }
        panels[#panels + 1] = { title = p[2], x = { label = "Step" }, y = { label = "Correct answers", min = 0, max = 1.05 }, series = series, legend = "bottom-right" }
    end
end
local picture = string.format("%s/probes_%s_seed_%d.svg", o.out, name, o.seed)
raphe.plot { file = picture, layout = { rows = 2, columns = 3 }, width = 260, height = 150, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
