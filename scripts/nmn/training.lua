-- SPDX-License-Identifier: Apache-2.0
-- What the protocols of the NMN share: trainings that are kept in run folders, and the trained networks under other
-- conditions.
local raphe = require "raphe"

local training = {}

training.tasks = { "biased_target", "windy_target", "two_targets" }
training.models = { "nmn", "rnn" }
training.labels = { nmn = "NMN", rnn = "RNN" }

--- Trains an experiment (or its name) until `iterations` (its own, if nil) are done in all, in the folder OUT/NAME_seed_N.
--- What the folder already holds is not computed again. Returns the run, as raphe.open_run does.
function training.run(experiment, seed, iterations, o)
    local e = type(experiment) == "string" and raphe.load(experiment) or experiment
    local name = e:get("name")
    local folder = string.format("%s/%s_seed_%d", o.out, name, seed)
    local total = iterations or e:get("iterations")
    local begun, done = raphe.clock(), 0
    raphe.run(e, {
        out = folder, seed = seed, iterations = total, threads = o.threads, resume = true,
        on_iteration = function() done = done + 1 end,
    })
    local run = raphe.open_run(folder)
    local returns = run.metrics.discounted_return or {}
    raphe.log(string.format("%-32s seed %d  discounted return %8.1f  (%d iterations, %d of them now, in %.0f s)", name, seed,
        training.window(returns, math.max(1, #returns - 9), #returns), #returns, done, raphe.clock() - begun))
    return run
end

--- The run's network as a session under other conditions: a list of {"node.parameter" or field, value}.
function training.session(run, changes, o)
    local e = run.experiment:copy()
    for _, change in ipairs(changes) do e:set(change[1], change[2]) end
    local session, trained = e:session { threads = o.threads }, run:session { threads = 1 }
    for _, p in ipairs(trained:parameters()) do session:set(p.name, trained:get(p.name)) end
    trained:close()
    return session
end

--- Mean of values first ... last; not a number (so that no bar is met) if they are not all there.
function training.window(values, first, last)
    if last > #values or first > last then return 0 / 0 end
    local sum = 0
    for i = first, last do sum = sum + values[i] end
    return sum / (last - first + 1)
end

--- A number as text; "-" for what is not there.
function training.text(format, value) return value == value and string.format(format, value) or "-" end

--- Mean and standard deviation (of a sample; 0 for a single value).
function training.moments(values)
    local mean, square = training.window(values, 1, #values), 0
    for _, v in ipairs(values) do square = square + (v - mean) ^ 2 end
    return mean, #values > 1 and math.sqrt(square / (#values - 1)) or 0
end

return training
