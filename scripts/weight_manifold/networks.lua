-- SPDX-License-Identifier: Apache-2.0
-- What the experiments on weight manifolds have in common: networks under conditions, their training, and the test set.
local raphe = require "raphe"

local networks = {}

--- Numbers from 0 on, `count` of them, `step` apart.
function networks.range(first, count, step)
    local list = {}
    for i = 1, count do list[i] = first + (i - 1) * step end
    return list
end

--- Trains the experiment `name` with changes `set` of its parameters; returns the session and the seconds of training.
function networks.train(name, set, seed, o)
    local e = raphe.load(name)
    local paths = {}
    for path in pairs(set) do paths[#paths + 1] = path end
    table.sort(paths)
    for _, path in ipairs(paths) do
        if path ~= "iterations" then e:set(path, set[path]) end
    end
    e:set("task.source", o.source)
    local iterations = o.iterations or set.iterations
    if iterations then e:set("stages[0].iterations", iterations):set("iterations", iterations) end
    local s = e:session { seed = seed, threads = o.threads, precision = set.precision }
    local last = s:train { iterations = e:get("iterations") }
    return s, last.seconds
end

--- The metrics of the test set in the contexts `at` (numbers, or pairs of them on a torus), each image once in each.
function networks.test(s, at, extra)
    local images = s:experiment():get("task.test_images")
    local request = { set = { ["task.split"] = "test", ["task.at"] = at } }
    for key, value in pairs(extra or {}) do request[key] = value end
    for key, value in pairs(request.set_more or {}) do request.set[key] = value end
    request.set_more = nil
    images = request.set["task.test_images"] or images
    request.trials = images * #at
    return s:evaluate(request)
end

--- All conditions x seeds. `conditions`: list of {name, experiment, changes}; `measure(session)` returns numbers by name.
function networks.compare(title, conditions, seeds, o, measure)
    local results = {}
    for _, c in ipairs(conditions) do
        local found, seconds = { name = c[1], all = {} }, 0
        for seed = 1, seeds do
            local s, took = networks.train(c[2], c[3], seed, o)
            seconds = seconds + took / seeds
            local measured = measure(s)
            for key, value in pairs(measured) do
                found.all[key] = found.all[key] or {}
                found.all[key][seed] = value
            end
            if seed == 1 then
                found.parameters = 0
                for _, p in ipairs(s:parameters()) do found.parameters = found.parameters + p.shape[1] * p.shape[2] end
            end
            if seed == seeds and o.keep then
                found.session = s
            else
                s:close()
            end
        end
        found.median = {}
        for key, values in pairs(found.all) do found.median[key] = raphe.statistics.median(values) end
        found.seconds = seconds
        results[#results + 1] = found
        results[c[1]] = found
        raphe.log(string.format("%s: %s, %d seeds, %.2f s of training each", title, c[1], seeds, seconds))
    end
    return results
end

--- Prints medians (and deviations over seeds) as a table; `columns`: list of {key, heading, factor}.
function networks.table(title, results, columns)
    print("\n" .. title)
    local head, line = "| network | parameters |", "|---|---|"
    for _, c in ipairs(columns) do
        head, line = head .. " " .. c[2] .. " |", line .. "---|"
    end
    print(head .. " seconds |\n" .. line .. "---|")
    for _, r in ipairs(results) do
        local row = string.format("| %s | %d |", r.name, r.parameters)
        for _, c in ipairs(columns) do
            local values, factor = r.all[c[1]], c[3] or 1
            row = row .. string.format(c[4] or " %.3f", r.median[c[1]] * factor)
            if #values > 1 then row = row .. string.format(c[5] or " (%.3f)", raphe.statistics.deviation(values) * factor) end
            row = row .. " |"
        end
        print(row .. string.format(" %.2f |", r.seconds))
    end
end

--- The coordinates of the point of an ellipse.
function networks.ellipse(s)
    return { 1, math.cos(2 * math.pi * s), math.sin(2 * math.pi * s) }
end

return networks
