-- SPDX-License-Identifier: Apache-2.0
-- A bandit that lasts (Lee et al. 2024, Fig. 3): agents whose learning rate and temperature follow expected and unexpected
-- uncertainty, against agents with fixed settings and against oracles. Every trial of a batch is an agent in an environment of its own.
--
--   raphe lua scripts/learners/lifelong_bandit.lua           210 environments of 16 contexts; 100 of 32 contexts; stimulation
--   raphe lua scripts/learners/lifelong_bandit.lua --quick   60 environments, bars 1 and 3 only
--   options: --environments N  --out FOLDER  --threads N
--
-- Regret: mean of the best arm minus that of the chosen one. Curves are aligned on true switches. All agents meet the same
-- environments and would have been paid the same rewards.
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local agents = require "agents"

local o = protocol.options({ environments = protocol.whole, quick = false, out = "learners", threads = protocol.whole }, raphe.args)
local CONTEXT, mean, line = agents.context, agents.mean, agents.line
local environments = o.environments or (o.quick and 60 or 210)

local names = o.quick and { "ri_ensemble", "discounted_ucb", "boltzmann" }
    or { "ri_ensemble", "discounted_ucb", "boltzmann", "ri_oracle", "ri_aleatoric_oracle", "boltzmann_tuned", "epsilon_greedy", "thompson", "garivier_ucb", "quantile", "eq4_ensemble", "eq4_oracle" }

local function peak(values)
    local best = 1
    for t = 1, #values do if values[t] > values[best] then best = t end end
    return best, values[best]
end

local function measure(agent, contexts, count)
    local record = { "task.regret", "task.switch" }
    if agent:find("^ri_") then record[3], record[4] = "bank.learning_rate", "bank.temperature" end
    local r = agents.play(agent, { contexts = contexts, count = count, record = record, threads = o.threads })
    local steps = contexts * CONTEXT
    local switches, by_step = agents.rows(r["task.switch"]), agents.course(r["task.regret"])
    local m = { regret = by_step, last = mean(by_step, steps - CONTEXT + 1, steps), first = mean(by_step, 1, CONTEXT) * CONTEXT }
    m.after, m.before, m.errors = agents.aligned(r["task.regret"], switches)
    m.cumulative = mean(by_step, 1, steps) * steps
    m.second_half = mean(by_step, steps // 2 + 1, steps)
    local rows = agents.rows(r["task.regret"])
    m.all, m.all_last = agents.sums(rows, 1, steps), agents.sums(rows, steps - CONTEXT + 1, steps)
    if r["bank.learning_rate"] then
        m.rate, m.rate_before = agents.aligned(r["bank.learning_rate"], switches)
        m.temperature, m.temperature_before = agents.aligned(r["bank.temperature"], switches)
    end
    return m
end

local results = {}
print(string.format("%d environments, 16 contexts: regret per choice after true switches", environments))
print("| agent               | 0-4  | 5-24 | 50-99 | 100-199 | 400-499 | last context | cumulative (median) | first context | computing |")
print("|---------------------|------|------|-------|---------|---------|--------------|---------------------|---------------|-----------|")
for _, agent in ipairs(names) do
    local m = measure(agent, 16, environments)
    results[agent] = m
    print(string.format("| %-19s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.0f (%.0f) | %.0f | %.2f s |", agent, mean(m.after, 1, 5), mean(m.after, 6, 25), mean(m.after, 51, 100),
        mean(m.after, 101, 200), mean(m.after, 401, 500), m.last, m.cumulative, raphe.statistics.median(m.all), m.first, agents.computing[agent]))
end
-- In the same environments, so that differences are of pairs.
for _, other in ipairs { "discounted_ucb", "boltzmann" } do
    for _, part in ipairs { { "all", "all contexts", 1 }, { "all_last", "the last context, per choice", 1 / CONTEXT } } do
        local c = raphe.statistics.compare_paired(results.ri_ensemble[part[1]], results[other][part[1]])
        print(string.format("ri_ensemble - %s, %s: %.3g (95 %% interval %.3g to %.3g), signed ranks p = %.2g", other, part[2], c.difference * part[3], c.low * part[3], c.high * part[3], c.p))
    end
end

local ri, ucb, boltzmann = results.ri_ensemble, results.discounted_ucb, results.boltzmann
local rate_at, rate_peak = peak(ri.rate)
local temperature_at, temperature_peak = peak(ri.temperature)
local rate_before, temperature_before = mean(ri.rate_before, 1, 50), mean(ri.temperature_before, 1, 50)
local early = { mean(ri.after, 6, 25), mean(ucb.after, 6, 25), mean(boltzmann.after, 6, 25) }
local bars = {
    { string.format("1. choices 5-24 after a switch: ri_ensemble above 1.5 x the others (%.2f to %.2f, %.2f)", table.unpack(early)), early[1] > 1.5 * early[2] and early[1] > 1.5 * early[3] },
    { string.format("3. learning rate peaks 5 ... 30 choices after a switch at twice its level before (at %d: %.3f to %.3f)", rate_at - 1, rate_peak, rate_before),
        rate_at - 1 >= 5 and rate_at - 1 <= 30 and rate_peak >= 2 * rate_before },
    { string.format("3. so does the temperature (at %d: %.3f to %.3f)", temperature_at - 1, temperature_peak, temperature_before),
        temperature_at - 1 >= 5 and temperature_at - 1 <= 30 and temperature_peak >= 2 * temperature_before },
}
local dose
if not o.quick then
    local late = { mean(ri.after, 401, 500), mean(ucb.after, 401, 500), mean(boltzmann.after, 401, 500) }
    bars[#bars + 1] = { string.format("2. choices 400-499: ri_ensemble below 0.95 x discounted_ucb, 0.8 x boltzmann (%.2f to %.2f, %.2f)", table.unpack(late)),
        late[1] < 0.95 * late[2] and late[1] < 0.8 * late[3] }
    bars[#bars + 1] = { string.format("4. last context: ri_ensemble below both (%.2f to %.2f, %.2f)", ri.last, ucb.last, boltzmann.last), ri.last < ucb.last and ri.last < boltzmann.last }
    bars[#bars + 1] = { string.format("5. ri_oracle: cumulative regret below 0.55 x ri_ensemble (%.0f to %.0f)", results.ri_oracle.cumulative, ri.cumulative),
        results.ri_oracle.cumulative < 0.55 * ri.cumulative }
    local worst, best = true, true
    for _, agent in ipairs { "discounted_ucb", "boltzmann", "boltzmann_tuned", "epsilon_greedy", "thompson", "garivier_ucb" } do
        worst = worst and results.eq4_ensemble.cumulative > results[agent].cumulative
    end
    for agent, m in pairs(results) do best = best and (agent == "eq4_oracle" or results.eq4_oracle.cumulative < m.cumulative) end
    bars[#bars + 1] = { string.format("7. eq4_ensemble is worse than all baselines (%.0f), eq4_oracle best (%.0f)", results.eq4_ensemble.cumulative, results.eq4_oracle.cumulative), worst and best }
    local long, halves = {}, {}
    for i, agent in ipairs { "ri_ensemble", "discounted_ucb", "boltzmann", "boltzmann_tuned" } do
        long[agent] = measure(agent, 32, 100)
        halves[i] = long[agent].second_half
    end
    bars[#bars + 1] = { string.format("6. contexts 17-32: ri_ensemble below 0.85 x both (%.2f to %.2f, %.2f; a better tuned boltzmann reaches %.2f)", table.unpack(halves)),
        halves[1] < 0.85 * halves[2] and halves[1] < 0.85 * halves[3] }

    -- Stimulation of noradrenaline: added to the temperature around each reversal.
    dose = { level = { 0, 0.025, 0.05, 0.075, 0.1, 0.125, 0.15 }, on = {}, off = {} }
    print("\nStimulation, two-armed reversal: entropy of the choice (bits) and regret, contexts 2-8")
    print("| added to T | H on | H off | regret on | regret off |")
    print("|------------|------|-------|-----------|------------|")
    for i, level in ipairs(dose.level) do
        local d = agents.dose(level, { count = 200, threads = o.threads })
        dose.on[i], dose.off[i] = d.on.entropy, d.off.entropy
        print(string.format("| %10.3f | %.3f | %.3f | %.3f | %.3f |", level, d.on.entropy, d.off.entropy, d.on.regret, d.off.regret))
    end
    local rising, steady = true, true
    for i = 2, #dose.level do
        rising = rising and dose.on[i] > dose.on[i - 1]
        steady = steady and math.abs(dose.off[i] - dose.off[1]) < 0.05
    end
    bars[#bars + 1] = { string.format("stimulation raises the entropy while it lasts, by more than 0.25 at 0.15 (%.3f to %.3f), and not otherwise", dose.on[1], dose.on[#dose.on]),
        rising and dose.on[#dose.on] - dose.on[1] > 0.25 and steady }
end
print()
local passed = protocol.bars(bars)

local regrets, cumulative = {}, {}
for _, agent in ipairs { "ri_ensemble", "discounted_ucb", "boltzmann" } do
    local middle, low, high = protocol.smooth(results[agent].after, 5), {}, {}
    for t, e in ipairs(results[agent].errors) do low[t], high[t] = middle[t] - e, middle[t] + e end
    local curve = line(agent, middle)
    regrets[#regrets + 1] = { kind = "band", group = agent, x = curve.x, lower = low, upper = high }
    regrets[#regrets + 1] = curve
    local x, y, sum = {}, {}, 0
    for t, value in ipairs(results[agent].regret) do
        sum = sum + value
        if t % 50 == 0 then x[#x + 1], y[#y + 1] = t / CONTEXT, sum end
    end
    cumulative[#cumulative + 1] = { kind = "line", name = agent, x = x, y = y }
end
local panels = {
    { title = "Regret after a switch", x = { label = "Choices after the switch" }, y = { label = "Regret" }, series = regrets },
    { title = "Cumulative regret", x = { label = "Context" }, y = { label = "Sum of regret" }, series = cumulative },
    { title = "Learning rate (acetylcholine)", x = { label = "Choices after the switch" }, y = { label = "alpha" }, series = { line("after", ri.rate), line("before", ri.rate_before, -50) } },
    { title = "Temperature (noradrenaline)", x = { label = "Choices after the switch" }, y = { label = "T" }, series = { line("after", ri.temperature), line("before", ri.temperature_before, -50) } },
}
if dose then
    panels[5] = { title = "Stimulation", x = { label = "Added to the temperature" }, y = { label = "Entropy", unit = "bits" },
        series = { { kind = "line", name = "while on", x = dose.level, y = dose.on }, { kind = "line", name = "while off", x = dose.level, y = dose.off } } }
end
local picture = o.out .. "/lifelong_bandit.svg"
raphe.plot { file = picture, layout = { rows = math.ceil(#panels / 2), columns = 2 }, panels = panels }
print("figure: " .. picture)
return passed and 0 or 1
