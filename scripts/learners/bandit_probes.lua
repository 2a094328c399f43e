-- SPDX-License-Identifier: Apache-2.0
-- Inside the agents of the lifelong bandit (Lee et al. 2024): which arms they choose, how well their uncertainties are estimated, and
-- what becomes of them when their neuromodulators are held, exchanged, scaled or stimulated, in other environments too.
--
--   raphe lua scripts/learners/bandit_probes.lua             100 environments of 16 contexts, about two minutes
--   options: --environments N  --contexts N  --only inside|lesions|sweeps|stimulation  --out FOLDER  --threads N
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local agents = require "agents"

local o = protocol.options({ environments = 100, contexts = 16, only = "all", out = "learners", threads = protocol.whole }, raphe.args)
local parts = { inside = true, lesions = true, sweeps = true, stimulation = true }
if o.only ~= "all" and not parts[o.only] then error("--only: expected inside, lesions, sweeps or stimulation, got " .. o.only, 0) end
local function wanted(part) return o.only == "all" or o.only == part end
local CONTEXT, STEPS = agents.context, agents.context * o.contexts
local bars = {}
local function bar(text, met) bars[#bars + 1] = { text, met } end
local figure = protocol.figure { file = o.out .. "/bandit_probes.svg" }
local function play(name, how)
    how.count, how.threads, how.contexts = how.count or o.environments, o.threads, how.contexts or o.contexts
    return agents.play(name, how)
end
--- Cumulative regret: mean and median over environments, and regret per choice in the last context.
local function regret(name, how)
    local r = play(name, how or {})
    local rows = agents.rows(r["task.regret"])
    local all = agents.sums(rows, 1, #rows)
    return { mean = raphe.statistics.mean(all), median = raphe.statistics.median(all), all = all,
        last = raphe.statistics.mean(agents.sums(rows, #rows - CONTEXT + 1, #rows)) / CONTEXT }
end

-- One agent from inside; estimates against the truth ------------------------------------------------------------------

local first_context = 2
if wanted("inside") then
    local r = play("ri_ensemble", { count = math.min(o.environments, 50), record = { "policy.action", "policy.probability", "task.mean", "task.deviation", "task.switch", "task.context",
        "task.correct", "task.regret", "values.value", "values.unexpected", "values.expected", "bank.learning_rate", "bank.temperature" } })
    -- The agent that sees the first switch.
    local shown, switches = 1, agents.rows(r["task.switch"])
    for context = o.contexts - 1, 1, -1 do
        for b = #switches[1], 1, -1 do
            if switches[context * CONTEXT + 1][b] == 1 then shown, first_context = b, context end
        end
    end
    local from, to = first_context * CONTEXT - 100, math.min(first_context * CONTEXT + 300, STEPS)
    local chosen, best = { kind = "raster", name = "chosen", x = {}, y = {}, height = 0.7 }, { kind = "spans", name = "best arm", x = {}, to = {}, y = {}, height = 0.95, color = "#d8d8d8" }
    local x, q, policy = {}, {}, {}
    for a = 1, 5 do q[a], policy[a] = {}, {} end
    for t = from + 1, to do
        x[#x + 1] = t - 1
        local top = 1
        for a = 1, 5 do
            if r["policy.action"]:get(t, shown, a) == 1 then chosen.x[#chosen.x + 1], chosen.y[#chosen.y + 1] = t - 1, a - 1 end
            if r["task.mean"]:get(t, shown, a) > r["task.mean"]:get(t, shown, top) then top = a end
            q[a][#x], policy[a][#x] = r["values.value"]:get(t, shown, a), r["policy.probability"]:get(t, shown, a)
        end
        if best.y[#best.y] ~= top - 1 then best.x[#best.x + 1], best.to[#best.x + 1], best.y[#best.y + 1] = t - 1, t, top - 1 end
        best.to[#best.y] = t
    end
    local arms = { "1", "2", "3", "4", "5" }
    figure:panel("Arms around a switch", "Choice", { label = "Arm", categories = arms }, { best, chosen, { kind = "vline", at = first_context * CONTEXT } }, { legend = "outside" })
    local function each(values)
        local series = {}
        for a = 1, 5 do series[a] = { kind = "line", name = "arm " .. a, x = x, y = values[a] } end
        series[6] = { kind = "vline", at = first_context * CONTEXT }
        return series
    end
    figure:panel("Estimated values", "Choice", "Q", each(q), { legend = "outside" })
    figure:panel("Policy", "Choice", { label = "Probability", min = 0, max = 1.05 }, each(policy), { legend = "outside" })
    -- Every 50th choice: what the agent takes for uncertainty, and the truth.
    local expected, unexpected = { kind = "points", name = "", x = {}, y = {}, size = 2 }, { kind = "points", name = "", x = {}, y = {}, size = 2 }
    local truth, estimate = {}, {}
    for t = 50, STEPS, 50 do
        for b = 1, r["task.regret"].shape[2] do
            local deviation, error = 0, 0
            for a = 1, 5 do
                deviation = deviation + r["task.deviation"]:get(t, b, a) / 5
                error = error + (r["task.mean"]:get(t, b, a) - r["values.value"]:get(t, b, a)) ^ 2 / 5
            end
            local i = #truth + 1
            truth[i], estimate[i] = error, r["values.unexpected"]:get(t, b, 1)
            unexpected.x[i], unexpected.y[i] = math.sqrt(error), estimate[i]
            expected.x[i], expected.y[i] = deviation, r["values.expected"]:get(t, b, 1)
        end
    end
    figure:panel("Unexpected uncertainty", "True error of the values (root mean square)", "Estimate (NA)", { unexpected }, { legend = "none" })
    figure:panel("Expected uncertainty", "True standard deviation, mean of the arms", "Estimate (ACh)", { expected }, { legend = "none" })
    local function correlation(s)
        local n, mx, my = #s.x, raphe.statistics.mean(s.x), raphe.statistics.mean(s.y)
        local sum = 0
        for i = 1, n do sum = sum + (s.x[i] - mx) * (s.y[i] - my) end
        return sum / ((n - 1) * raphe.statistics.deviation(s.x) * raphe.statistics.deviation(s.y))
    end
    print(string.format("correlation of the estimates with the truth: unexpected uncertainty %.2f, expected uncertainty %.2f", correlation(unexpected), correlation(expected)))
end

-- Lesions, exchange, freezing -----------------------------------------------------------------------------------------

if wanted("lesions") then
    local r = play("ri_ensemble", { record = { "bank.learning_rate", "bank.temperature" } })
    local rate, temperature = r["bank.learning_rate"]:mean(), r["bank.temperature"]:mean()
    local function hold(port, value, from) return { port = port, operation = "clamp", value = value, from = from } end
    local ACH, NA = hold("bank.learning_rate", rate), hold("bank.temperature", temperature)
    print(string.format("\nlearning rate %.3f and temperature %.3f on average\n| what is done | cumulative regret (median) | last context |\n|---|---|---|", rate, temperature))
    local found = {}
    for _, case in ipairs {
        { "nothing", {} },
        { "NA lesioned (temperature at its mean)", { interventions = { NA } } },
        { "ACh lesioned (learning rate at its mean)", { interventions = { ACH } } },
        { "both lesioned", { interventions = { NA, ACH } } },
        { "signals exchanged", { set = { ["bank.channels"] = "ACh; NA" } } },
        { "ensemble frozen in the second half", { interventions = { hold("bank.learning_rate", 0, STEPS // 2) } } },
        { "learning rate 0.25, temperature 0.25 (double softmax)", { interventions = { hold("bank.learning_rate", 0.25), hold("bank.temperature", 0.25) } } },
        { "temperature raised by 0.2 in the third context", { interventions = { { port = "bank.temperature", operation = "perturb", value = 0.2, from = 2 * CONTEXT, to = 3 * CONTEXT } } } },
        { "learning rate raised by 0.05 (offset)", { interventions = { { port = "bank.learning_rate", operation = "perturb", value = 0.05 } } } },
        { "expected uncertainty from errors (direct)", { set = { ["values.moment"] = "direct" } } },
        { "one softmax", { set = { ["policy.form"] = "boltzmann" } } },
    } do
        local m = regret("ri_ensemble", case[2])
        found[#found + 1] = m
        print(string.format("| %s | %.0f (%.0f) | %.2f |", case[1], m.mean, m.median, m.last))
    end
    bar(string.format("a frozen ensemble cannot follow (%.0f to %.0f)", found[6].mean, found[1].mean), found[6].mean > found[1].mean)
    figure:panel("Lesions", { label = "Fixed at its mean", categories = { "nothing", "NA", "ACh", "both" } }, "Cumulative regret",
        { { kind = "bars", x = { 0, 1, 2, 3 }, y = { found[1].mean, found[2].mean, found[3].mean, found[4].mean } } }, { legend = "none" })
end

-- Other settings, other environments ----------------------------------------------------------------------------------

if wanted("sweeps") then
    local function sweep(title, axis, values, make, names, log)
        local series = {}
        print(string.format("\n| %s | %s |\n|---|%s", axis, table.concat(names, " | "), ("---|"):rep(#names)))
        for _, name in ipairs(names) do series[#series + 1] = { kind = "line", name = name, x = {}, y = {}, markers = true } end
        for i, value in ipairs(values) do
            local row = ""
            for n, name in ipairs(names) do
                local m = regret(name, make(value))
                series[n].x[i], series[n].y[i] = value, m.mean
                row = row .. string.format(" %.0f (%.0f) |", m.mean, m.median)
            end
            print(string.format("| %g |%s", value, row))
        end
        figure:panel(title, { label = axis, scale = log and "log" or "linear" }, "Cumulative regret", series, { legend = #names > 1 and "auto" or "none" })
        return series
    end
    local ri, three = { "ri_ensemble" }, { "ri_ensemble", "discounted_ucb", "boltzmann" }
    local scale = sweep("Temperature", "Factor of the temperature", { 0.5, 1, 1.5, 2 }, function(v)
        return { set = { ["bank.effects"] = string.format("learning_rate ratio NA ACh; temperature linear NA base 0 gain %g low 1e-8", v) } }
    end, ri)
    bar("a larger temperature than the published one costs regret", scale[1].y[4] > scale[1].y[2])
    sweep("Scale of unexpected uncertainty", "m", { 0.02, 0.05, 0.1, 0.2, 0.4 }, function(v) return { set = { ["values.unexpected_scale"] = v } } end, ri, true)
    sweep("Size of the ensemble", "Members K", { 1, 2, 5, 20, 50 }, function(v) return { set = { ["values.members"] = v } } end, ri, true)
    sweep("How often arms change", "Probability of a switch", { 0, 0.2, 0.4, 0.7, 1 }, function(v) return { set = { ["task.switch_probability"] = v } } end, three)
    sweep("How long a context lasts", "Choices in a context (as many in all)", { 100, 250, 500, 1000 }, function(v)
        return { set = { ["task.context_length"] = v }, contexts = STEPS // v }
    end, three)
    sweep("How noisy arms are", "Largest standard deviation", { 0.01, 0.5, 1, 2, 4 }, function(v) return { set = { ["task.deviation_low"] = 0.001, ["task.deviation_high"] = v } } end, three)
    print("\n| the quantile agent | cumulative regret (median) |\n|---|---|")
    local function quantile(rate, beta) return { ["acetylcholine.effects"] = "learning_rate ratio epistemic aleatoric base " .. rate, ["noradrenaline.effects"] = "temperature linear NA base 0 gain " .. 1 / beta } end
    for _, case in ipairs {
        { "f_alpha 1, f_beta 1", { set = quantile(1, 1) } }, { "f_alpha 5, f_beta 0.5", { set = quantile(5, 0.5) } },
        { "the square of the epistemic uncertainty on top", { set = { ["acetylcholine.effects"] = "learning_rate ratio epistemic aleatoric base 1e-6; learning_rate linear epistemic base 1e-6 gain 1" } } },
        { "fixed: learning rate 0.25, beta 5", { interventions = { { port = "acetylcholine.learning_rate", operation = "clamp", value = 0.25 }, { port = "noradrenaline.temperature", operation = "clamp", value = 0.2 } } } },
    } do
        local m = regret("quantile", case[2])
        print(string.format("| %s | %.0f (%.0f) |", case[1], m.mean, m.median))
    end
    local all = regret("discounted_ucb", { set = { ["policy.discount_all_arms"] = true, ["policy.discount"] = 0.99 } })
    print(string.format("\ndiscounted_ucb, counts of all arms decay by 0.99: %.0f (%.0f)", all.mean, all.median))
end

-- Stimulation ---------------------------------------------------------------------------------------------------------

if wanted("stimulation") then
    print("\n| agent, added to T | H on (bits) | H off | regret on | regret off | first 125 after a reversal |\n|---|---|---|---|---|---|")
    local series = {}
    for _, agent in ipairs { "ri_ensemble", "ri_oracle" } do
        local x, on, off = { -0.05, 0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15 }, {}, {}
        for i, level in ipairs(x) do
            local d = agents.dose(level, { agent = agent == "ri_oracle" and agent or nil, count = o.environments, threads = o.threads })
            on[i], off[i] = d.on.entropy, d.off.entropy
            print(string.format("| %s, %g | %.3f | %.3f | %.3f | %.3f | %.3f |", agent, level, d.on.entropy, d.off.entropy, d.on.regret, d.off.regret, d.early.regret))
        end
        series[#series + 1] = { kind = "line", name = agent .. ", on", group = agent, x = x, y = on, markers = true }
        series[#series + 1] = { kind = "line", name = agent .. ", off", group = agent, x = x, y = off, style = "dot" }
        bar(agent .. ": more noradrenaline, more random choices; less, fewer", on[1] < on[2] and on[8] > on[2] + 0.25)
    end
    figure:panel("Stimulation of noradrenaline", "Added to the temperature", { label = "Entropy", unit = "bits", min = 0, max = 1.05 }, series)
end

print()
local passed = #bars == 0 or protocol.bars(bars)
figure:draw()
return passed and 0 or 1
