-- SPDX-License-Identifier: Apache-2.0
-- What the protocols on agents at a bandit have in common: lives of many agents at once, and what is measured of them.
local raphe = require "raphe"

local agents = { context = 500, computing = {} }

--- Signals of the experiment bandit_NAME: {contexts =, count =, record =, set =, interventions =, threads =}, all but `count` optional.
function agents.play(name, how)
    local e = raphe.load("bandit_" .. name)
    if how.contexts then e:set("task.contexts", how.contexts) end
    local paths = {}
    for path in pairs(how.set or {}) do paths[#paths + 1] = path end
    table.sort(paths)
    for _, path in ipairs(paths) do e:set(path, how.set[path]) end
    local s = e:session { threads = how.threads }
    local start = raphe.clock()
    local r = s:evaluate { trials = how.count, record = how.record or { "task.regret", "task.switch" }, interventions = how.interventions or {} }
    agents.computing[name] = (agents.computing[name] or 0) + raphe.clock() - start
    s:close()
    return r.signals, r.metrics
end

--- A (steps, agents, 1) signal as a list of steps, each a list of agents.
function agents.rows(signal) return signal:reshape { signal.shape[1], signal.shape[2] }:totable() end

--- The mean over agents, by step.
function agents.course(signal) return signal:mean(2):reshape { signal.shape[1] }:totable() end

function agents.mean(values, first, last)
    local sum = 0
    for t = first, last do sum = sum + values[t] end
    return sum / (last - first + 1)
end

--- Sums over the steps first ... last of what rows() returned, by agent.
function agents.sums(rows, first, last)
    local sums = {}
    for b = 1, #rows[1] do sums[b] = 0 end
    for t = first, last do
        for b, value in ipairs(rows[t]) do sums[b] = sums[b] + value end
    end
    return sums
end

--- By step after the true switches of all agents: the mean of a signal; by step of the 50 before them; and the standard
--- error of the mean after them.
function agents.aligned(signal, switches)
    local CONTEXT, values = agents.context, agents.rows(signal)
    local after, before, squares, count = {}, {}, {}, 0
    for t = 1, CONTEXT do after[t], squares[t] = 0, 0 end
    for t = 1, 50 do before[t] = 0 end
    for context = 1, #values // CONTEXT - 1 do
        local first = context * CONTEXT
        for b = 1, #values[1] do
            if switches[first + 1][b] == 1 then
                count = count + 1
                for t = 1, CONTEXT do
                    local v = values[first + t][b]
                    after[t], squares[t] = after[t] + v, squares[t] + v * v
                end
                for t = 1, 50 do before[t] = before[t] + values[first - 50 + t][b] end
            end
        end
    end
    local errors = {}
    for t = 1, CONTEXT do
        after[t] = after[t] / count
        errors[t] = math.sqrt(math.max(squares[t] / count - after[t] ^ 2, 0) / count)
    end
    for t = 1, 50 do before[t] = before[t] / count end
    return after, before, errors
end

--- Interventions that add `level` to the temperature from 75 % of a context to 25 % of the next one, `contexts` of them.
function agents.stimulation(level, contexts)
    local list, length = {}, agents.context
    for context = 0, contexts - 1 do
        local to = math.min(math.floor((context + 1.25) * length), contexts * length)
        list[#list + 1] = { port = "bank.temperature", operation = "perturb", value = level, from = math.floor((context + 0.75) * length), to = to }
    end
    return list
end

--- Entropy of the choice (bits) and regret per choice under stimulation in the two-armed reversal, from the second context on:
--- while it is on, while it is off, and in the first 125 choices after a reversal.
function agents.dose(level, how)
    local CONTEXT, contexts = agents.context, 8
    local set = { ["task.arms"] = 2, ["task.contexts"] = contexts, ["task.switch_probability"] = 1, ["task.environment"] = "reversal", ["task.probabilities"] = { 0.6, 0.4 } }
    if how.agent then
        for _, node in ipairs { "values", "policy", "oracle" } do set[node .. ".arms"] = 2 end
        set["policy.lowest_temperature"] = 1e-3
    else
        set = {}
    end
    local r = agents.play(how.agent or "stimulation", { set = set, count = how.count, record = { "policy.probability", "task.regret" },
        interventions = agents.stimulation(level, contexts), threads = how.threads })
    local p, regret = r["policy.probability"]:slice(3, 1):totable(), agents.course(r["task.regret"])
    local found = {}
    for _, part in ipairs { "on", "off", "early" } do found[part] = { entropy = 0, regret = 0, count = 0 } end
    for t = CONTEXT + 1, contexts * CONTEXT do
        local place = (t - 1) % CONTEXT / CONTEXT
        local sum = 0
        for b = 1, how.count do
            local q = p[t][b]
            if q > 0 and q < 1 then sum = sum - q * math.log(q, 2) - (1 - q) * math.log(1 - q, 2) end
        end
        for _, part in ipairs { (place < 0.25 or place >= 0.75) and "on" or "off", place < 0.25 and "early" or nil } do
            local f = found[part]
            f.entropy, f.regret, f.count = f.entropy + sum / how.count, f.regret + regret[t], f.count + 1
        end
    end
    for _, f in pairs(found) do f.entropy, f.regret = f.entropy / f.count, f.regret / f.count end
    return found
end

function agents.line(name, values, offset)
    local x = {}
    for t = 1, #values do x[t] = t - 1 + (offset or 0) end
    return { kind = "line", name = name, x = x, y = values }
end

return agents
