-- SPDX-License-Identifier: Apache-2.0
-- What the protocols on Go/No-Go animals have in common: lives of many animals at once, and what is measured of them.
local raphe = require "raphe"

local animals = { shift = 400, steps = 1000, computing = 0 }

--- Effects of noradrenaline: by how much a level of 1 raises the temperature and the learning rate of the actor.
function animals.effects(gain, plasticity)
    return string.format("temperature linear NA base 1 gain %g; learning_rate linear NA base 1 gain %g", gain, plasticity)
end

--- Signals of lives: `settings` of parameters, then {count =, record =, interventions =, threads =}.
function animals.live(schedule, settings, how)
    local e = raphe.load("gonogo_da_na")
    e:set("task.schedule", schedule)
    local paths = {}
    for path in pairs(settings) do paths[#paths + 1] = path end
    table.sort(paths)
    for _, path in ipairs(paths) do e:set(path, settings[path]) end
    local s = e:session { threads = how.threads }
    local start = raphe.clock()
    local r = s:evaluate { trials = how.count, record = how.record, interventions = how.interventions or {} }
    animals.computing = animals.computing + raphe.clock() - start
    s:close()
    return r.signals
end

--- Mean of a (steps, animals, units) signal over animals, by step.
function animals.course(signal, unit)
    local mean, values = signal:mean(2):totable(), {}
    for t = 1, #mean do values[t] = mean[t][unit or 1] end
    return values
end

function animals.mean(values, first, last)
    local sum = 0
    for t = first, last do sum = sum + values[t] end
    return sum / (last - first + 1)
end

--- Means of bins of `width` presentations, with the middles of the bins.
function animals.binned(values, width)
    local x, y = {}, {}
    for bin = 1, #values // width do
        x[bin], y[bin] = bin * width - width / 2, animals.mean(values, (bin - 1) * width + 1, bin * width)
    end
    return x, y
end

local function binary(p) return (p <= 0 or p >= 1) and 0 or -p * math.log(p, 2) - (1 - p) * math.log(1 - p, 2) end

--- Entropy of the choice in bits by presentation, over the animals for which it is a go trial (or, with `other`, is not one).
function animals.entropies(signals, other)
    local steps, count = signals["task.go"].shape[1], signals["task.go"].shape[2]
    local go, policy = signals["task.go"]:reshape { steps, count }:totable(), signals["choice.probability"]:slice(3, 2):totable()
    local found = { sum = {}, seen = {} }
    for t = 1, steps do
        local sum, seen = 0, 0
        for a = 1, count do
            if (go[t][a] == 1) ~= (other or false) then sum, seen = sum + binary(policy[t][a]), seen + 1 end
        end
        found.sum[t], found.seen[t] = sum, seen
    end
    return found
end

--- Their mean over the presentations first ... last.
function animals.entropy(entropies, first, last)
    local sum, seen = 0, 0
    for t = first, last do sum, seen = sum + entropies.sum[t], seen + entropies.seen[t] end
    return sum / seen
end

--- How the animals adapt to the shift. An animal has adapted if at least 90 of its last 100 answers are correct; criterion:
--- presentations after the shift until 18 of the last 20 were correct (median over animals).
function animals.adaptation(signals)
    local SHIFT, STEPS = animals.shift, animals.steps
    local correct = signals["task.correct"]
    local count, by_step = correct.shape[2], animals.course(correct)
    local answers = correct:reshape { STEPS, count }:totable()
    local m = { accuracy = by_step, fates = {}, adapted = 0 }
    m.pre, m.first, m.last = animals.mean(by_step, SHIFT - 99, SHIFT), animals.mean(by_step, SHIFT + 1, SHIFT + 50), animals.mean(by_step, STEPS - 99, STEPS)
    local criteria = {}
    for a = 1, count do
        local last, window, criterion = 0, 0, math.huge
        for t = STEPS - 99, STEPS do last = last + answers[t][a] end
        for t = SHIFT + 1, STEPS do
            window = window + answers[t][a] - (t > SHIFT + 20 and answers[t - 20][a] or 0)
            if t >= SHIFT + 20 and window >= 18 and criterion == math.huge then criterion = t - SHIFT end
        end
        m.adapted = m.adapted + (last >= 90 and 1 or 0) / count
        m.fates[a] = last / 100
        criteria[a] = criterion
    end
    table.sort(criteria)
    m.criterion = criteria[math.ceil(#criteria / 2)]
    return m
end

--- Bursts of noradrenaline per animal in the presentations first ... last, and the share of animals without any.
function animals.bursts(signals, first, last)
    local signal = signals["locus_coeruleus.burst"]
    local count, sum, quiet = signal.shape[2], 0, 0
    local bursts = signal:reshape { signal.shape[1], count }:totable()
    for a = 1, count do
        local own = 0
        for t = first, last do own = own + bursts[t][a] end
        sum, quiet = sum + own / count, quiet + (own == 0 and 1 or 0) / count
    end
    return sum, quiet
end

function animals.shown_criterion(criterion) return criterion == math.huge and "never" or string.format("%d", criterion) end

return animals
