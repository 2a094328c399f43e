-- SPDX-License-Identifier: Apache-2.0
-- What the protocols of Backpropamine share: the runs of a study by variant, and learning curves as the authors draw them.
local raphe = require "raphe"

local curves = {}

--- Does the runs of a study that are missing. Returns the study, its folder, its results and its variants in the order of the document,
--- each with `name` and `runs` (by seed, with `folder`); or nothing, after saying so, if some runs are not done.
--- @param so_far  computes nothing, and leaves out runs of which nothing is there yet
function curves.study(name, o, so_far)
    local folder = o.out ~= "" and o.out or "studies/" .. (type(name) == "table" and name.name or name)
    local study = raphe.study(name, { out = folder, seeds = o.seeds, iterations = o.iterations })
    if not so_far then
        local counted = study:run { workers = o.workers }
        if counted.done < counted.total then
            print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
            return
        end
    end
    local results, variants = study:results(), {}
    for _, run in ipairs(results.runs) do
        run.folder = study:folder_of(run.id)
        local begun, there = pcall(raphe.open_run, run.folder)
        if not so_far or (begun and #there.metrics.iteration > 0) then
            local last = variants[#variants]
            if not last or last.name ~= run.variant then
                last = { name = run.variant, runs = {} }
                variants[#variants + 1] = last
            end
            last.runs[#last.runs + 1] = run
        end
    end
    if #variants == 0 then
        print("nothing of the study is there yet, in " .. folder)
        return
    end
    return { study = study, folder = folder, results = results, variants = variants }
end

--- The bars of a study's document, as protocol.bars takes them.
function curves.bars(results)
    local bars = {}
    for _, bar in ipairs(results.bars) do bars[#bars + 1] = { bar.bar, bar.met } end
    return bars
end

--- Values of a metric: a list for each run of a variant.
function curves.of(variant, metric)
    local lists = {}
    for i, run in ipairs(variant.runs) do lists[i] = raphe.open_run(run.folder).metrics[metric] end
    return lists
end

--- Every `every`-th value of each list, as far as all lists go: iterations, and for each of them the values of all lists.
function curves.kept(lists, every)
    local last = math.huge
    for _, list in ipairs(lists) do last = math.min(last, #list) end
    local x, samples = {}, {}
    for i = 1, last, every do
        x[#x + 1] = i - 1
        local now = {}
        for k, list in ipairs(lists) do now[k] = list[i] end
        samples[#samples + 1] = now
    end
    return x, samples
end

--- Centred moving mean over `width` values, fewer at the ends.
local function smoothed(values, width)
    local result = {}
    for i = 1, #values do
        local first, last = math.max(1, i - width // 2), math.min(#values, i + (width - 1) // 2)
        local sum = 0
        for k = first, last do sum = sum + values[k] end
        result[i] = sum / (last - first + 1)
    end
    return result
end

--- Median and quartiles over the runs, as the authors draw them: every `every`-th iteration, moving means over `width` of these.
--- Returns the two series of a panel. @param group  whose colour they have
function curves.quartiles(lists, group, label, every, width)
    local x, samples = curves.kept(lists, every)
    local lower, middle, upper = {}, {}, {}
    for i, sample in ipairs(samples) do
        for k, q in ipairs { { lower, 0.25 }, { middle, 0.5 }, { upper, 0.75 } } do q[1][i] = raphe.statistics.quantile(sample, q[2]) end
    end
    return { kind = "band", group = group, x = x, lower = smoothed(lower, width), upper = smoothed(upper, width) },
        { kind = "line", group = group, name = label, x = x, y = smoothed(middle, width) }
end

--- A panel with all runs of all variants as points. @param value  of a run
function curves.strip(variants, value, y_axis, title)
    local series, categories = {}, {}
    for v, variant in ipairs(variants) do
        categories[v] = variant.name
        local x, y = {}, {}
        for i, run in ipairs(variant.runs) do x[i], y[i] = v - 1, value(run) end
        series[v] = { kind = "points", group = variant.name, x = x, y = y, jitter = 0.12 }
    end
    return { title = title, x = { categories = categories }, y = y_axis, legend = "none", series = series }
end

--- Prints a table: a line for each variant with median, quartiles and the values of its runs. @param value  of a run
function curves.table(variants, value, heading)
    print(string.format("| %-22s | median  | quartiles        | seeds", heading))
    print("|------------------------|---------|------------------|------")
    for _, variant in ipairs(variants) do
        local values, texts = {}, {}
        for i, run in ipairs(variant.runs) do
            values[i] = value(run)
            texts[i] = string.format("%.2f", values[i])
        end
        local q = raphe.statistics.quantile
        print(string.format("| %-22s | %7.2f | %7.2f %8.2f | %s", variant.name, raphe.statistics.median(values), q(values, 0.25), q(values, 0.75),
            table.concat(texts, ", ")))
    end
end

--- The run's network as a session under other conditions. @param changes  list of {"node.parameter" or field, value}
function curves.session(folder, changes, threads)
    local run = raphe.open_run(folder)
    local e = run.experiment
    for _, change in ipairs(changes) do e:set(change[1], change[2]) end
    local session, trained = e:session { threads = threads }, run.session { threads = 1 }
    for _, p in ipairs(trained:parameters()) do session:set(p.name, trained:get(p.name)) end
    trained:close()
    return session
end

return curves
