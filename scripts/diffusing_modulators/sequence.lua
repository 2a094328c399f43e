-- SPDX-License-Identifier: Apache-2.0
-- What the protocols on continual learning have in common: a sequence of tasks, learned one after the other, and the
-- accuracy on every task after every task.
local raphe = require "raphe"

local sequence = { conditions = { "sgd", "plasticity", "gain", "both" }, labels = { sgd = "sgd", plasticity = "diffP", gain = "gain", both = "diffPG" } }

--- Two epochs of batches of 50 for each task. Of MNIST the pairs of digits have unequal numbers of images.
function sequence.benchmarks(source)
    local pairs_of_digits = source == "mnist" and { 84, 80, 72, 82, 76 } or { 80, 80, 80, 80, 80 }
    return {
        { name = "split_shared", chance = 0.5, iterations = pairs_of_digits, set = {} },
        { name = "split_multihead", chance = 0.5, iterations = pairs_of_digits, set = { { "task.heads", "multi" }, { "head.units", 10 } } },
        { name = "permuted", chance = 0.1, iterations = { 400, 400, 400, 400, 400 }, set = { { "task.sequence", "permuted" }, { "head.units", 10 } } },
    }
end

--- The experiment of a condition, with settings {path, value} in turn and the length of each task as a stage.
function sequence.experiment(condition, source, set, iterations)
    local e = raphe.load("continual_split_" .. condition):set("task.source", source)
    for _, setting in ipairs(set) do e:set(setting[1], setting[2]) end
    local stages, total = {}, 0
    for k, count in ipairs(iterations) do
        stages[k] = { name = "task_" .. k, iterations = count }
        total = total + count
    end
    return e:set("stages", stages):set("iterations", total):set("task.task_iterations", iterations)
end

--- Accuracy of the test images of each task. @param interventions  of task j (from 1), or nothing
function sequence.accuracies(s, tasks, interventions)
    local row, images = {}, s:experiment():get("task.test_images")
    for j = 1, tasks do
        row[j] = s:evaluate {
            trials = images, set = { ["task.split"] = "test", ["task.task"] = j - 1 }, interventions = interventions and interventions(j) or {},
        }.metrics.accuracy
    end
    return row
end

--- Trains on one task after the other. Returns R[i][j], the accuracy on task j after task i, and the seconds of training.
--- @param before  is called with the session and the number of each task before it begins
function sequence.learn(s, iterations, before)
    local R, seconds = {}, 0
    for i, count in ipairs(iterations) do
        if before then before(s, i) end
        seconds = s:train { iterations = count }.seconds
        R[i] = sequence.accuracies(s, #iterations)
    end
    return R, seconds
end

function sequence.measures(R, chance)
    local chances = {}
    for k = 1, #R do chances[k] = chance end
    return raphe.statistics.continual(R, chances)
end

--- The concentration of each task's modulator at the units of the grid, as rows.
function sequence.fields(s, tasks)
    local fields = {}
    for k = 1, tasks do
        local c = s:evaluate { trials = 1, record = { "modulator.concentration" }, interventions = sequence.release(k, tasks) }.signals["modulator.concentration"]
        local side = math.floor(math.sqrt(c.shape[3]) + 0.5)
        fields[k] = c:reshape { side, side }:totable()
    end
    return fields
end

--- Interventions by which source `k` (from 1) of `sources` releases, whatever the task is.
function sequence.release(k, sources)
    local list = { { port = "modulator.released", operation = "lesion" } }
    if k >= 1 and k <= sources then list[2] = { port = "modulator.released", component = k - 1, operation = "clamp", value = 1 } end
    return list
end

return sequence
