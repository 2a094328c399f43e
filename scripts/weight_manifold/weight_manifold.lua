-- SPDX-License-Identifier: Apache-2.0
-- Weight manifolds (Benjamin et al. 2025): conditioning a network by moving its weights. Trains the networks of the
-- experiments E1 to E6, prints their tables and bars, and draws the walk on the ellipse.
--
--   raphe lua scripts/weight_manifold/weight_manifold.lua                        digits drawn with a pen, no files needed
--   RAPHE_DATA_DIR=data raphe lua scripts/weight_manifold/weight_manifold.lua --source mnist
--   options: --only e1|e2|e2b|e3|e4|e5|e6  --seeds N  --iterations N (of every network)  --threads N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local networks = require "networks"
local context = require "context"

local o = protocol.options({ source = "strokes", only = "all", seeds = 3, iterations = protocol.whole, threads = protocol.whole, out = "runs/weight_manifold" }, raphe.args)
local known = { all = true, e1 = true, e2 = true, e2b = true, e3 = true, e4 = true, e5 = true, e6 = true }
if not known[o.only] then error("--only: expected e1, e2, e2b, e3, e4, e5 or e6, got " .. o.only, 0) end
local function wanted(name) return o.only == "all" or o.only == name end

local ANGLES = networks.range(0, 24, 1 / 24)
local bars, figures = {}, {}
local function bar(text, met) bars[#bars + 1] = { text, met } end

--- The conditions of a list, each with further changes.
local function withChanges(extra, list)
    local conditions = {}
    for _, c in ipairs(list) do
        local set = {}
        for key, value in pairs(c[3]) do set[key] = value end
        for key, value in pairs(extra) do set[key] = value end
        conditions[#conditions + 1] = { c[1], c[2], set }
    end
    return conditions
end
local BASELINES = {
    { "none", "manifold_rotation_none", {} },
    { "concat", "manifold_rotation_concat", {} },
    { "concat_wide", "manifold_rotation_concat", { ["hidden.units"] = 192 } },
}

-- E1: the ellipse on the whole circle ---------------------------------------------------------------------------------

if wanted("e1") then
    local list = { table.unpack(BASELINES) }
    list[#list + 1] = { "slopes and biases (FiLM)", "manifold_rotation_film", {} }
    list[#list + 1] = { "ellipse, plain", "manifold_rotation", { ["hidden.gradient"] = "plain", ["readout.gradient"] = "plain" } }
    list[#list + 1] = { "ellipse", "manifold_rotation", {} }
    o.keep = true
    local r = networks.compare("E1", list, o.seeds, o, function(s)
        return { accuracy = networks.test(s, ANGLES).metrics.accuracy }
    end)
    o.keep = false
    networks.table("E1 digits at any angle: accuracy over the circle", r, { { "accuracy", "accuracy" } })
    local a = function(name) return r[name].median.accuracy end
    bar("E1 ellipse >= concat + 0.05", a "ellipse" >= a "concat" + 0.05)
    bar("E1 ellipse >= concat_wide + 0.02", a "ellipse" >= a "concat_wide" + 0.02)
    bar("E1 ellipse >= 0.88", a "ellipse" >= 0.88)
    bar("E1 natural >= plain gradient - 0.002", a "ellipse" >= a "ellipse, plain" - 0.002)

    -- The walk: accuracy at each angle, angles that are told wrongly, and the filters of a unit along the way.
    local curves = {}
    for _, c in ipairs(r) do
        local y = {}
        for i, at in ipairs(ANGLES) do y[i] = networks.test(c.session, { at }).metrics.accuracy end
        curves[#curves + 1] = { kind = "line", name = c.name, x = networks.range(0, 24, 15), y = y }
    end
    local s = r["ellipse"].session
    local matrix, diagonal, off = {}, 0, 0
    for i = 1, 12 do
        matrix[i] = {}
        for j = 1, 12 do
            local value = networks.test(s, { (j - 1) / 12 }, {
                set_more = { ["task.test_images"] = 500 },
                interventions = { { port = "basis.context", operation = "clamp", value = (i - 1) / 12 } },
            }).metrics.accuracy
            matrix[i][j] = value
            if i == j then diagonal = diagonal + value / 12 end
            if (i - j) % 12 == 6 then off = off + value / 12 end
        end
    end
    print(string.format("told the right angle: %.3f; told the opposite one: %.3f", diagonal, off))
    bar("the right angle beats the opposite one", diagonal > off)
    local panels = {
        { title = "Accuracy at each angle", x = { label = "Angle", unit = "degrees" }, y = { label = "Accuracy" }, series = curves },
        { title = "Told another angle", x = { label = "True angle", unit = "degrees" }, y = { label = "Told angle", unit = "degrees" },
          series = { { kind = "heatmap", values = matrix, x_range = { -15, 345 }, y_range = { -15, 345 }, min = 0, max = 1, label = "Accuracy" } } },
    }
    -- The unit whose weights are farthest from the centre, W(s) of its image.
    local weight, units = s:get("hidden.weight"), s:experiment():get("hidden.units")
    local chosen, farthest = 1, -1
    for u = 1, units do
        local sum = 0
        for p = 1, 784 do sum = sum + weight:get(units + u, p) ^ 2 + weight:get(2 * units + u, p) ^ 2 end
        if sum > farthest then chosen, farthest = u, sum end
    end
    for quarter = 0, 3 do
        local phi, rows = networks.ellipse(quarter / 4), {}
        for row = 1, 28 do
            rows[row] = {}
            for column = 1, 28 do
                local p = (row - 1) * 28 + column
                rows[row][column] = phi[1] * weight:get(chosen, p) + phi[2] * weight:get(units + chosen, p) + phi[3] * weight:get(2 * units + chosen, p)
            end
        end
        panels[#panels + 1] = {
            title = string.format("Filter of a unit at %d degrees", 90 * quarter),
            x = { label = "Column" }, y = { label = "Row", reversed = true },
            series = { { kind = "heatmap", values = rows, color_map = "diverging", label = "Weight" } },
        }
    end
    figures[#figures + 1] = { file = o.out .. "/walk.svg", width = 260, layout = { rows = 2, columns = 3 }, panels = panels }

    -- The context from the image alone.
    local count = 200
    local shown = s:evaluate { trials = count, set = { ["task.split"] = "test" }, record = { "task.image", "task.label", "task.context" } }.signals
    for _, labels in ipairs { shown["task.label"], false } do
        local found, class = context.infer(s, shown["task.image"], labels or nil, {})
        local distances, right = {}, 0
        for b = 1, count do
            local d = math.abs(found[b] - shown["task.context"]:get(1, b, 1)) % 1
            distances[b] = 360 * math.min(d, 1 - d)
            if shown["task.label"]:get(1, b, class[b]) == 1 then right = right + 1 / count end
        end
        print(string.format("context inferred from the %s: median error %.1f degrees (chance 90), accuracy there %.3f",
            labels and "loss" or "entropy", raphe.statistics.median(distances), right))
    end
    for _, c in ipairs(r) do c.session:close() end
end

-- E2: angles that were never shown ------------------------------------------------------------------------------------

local function heldOut(name, title, support, list, seeds, isHeldOut, each)
    local trained, held = {}, {}
    for _, at in ipairs(ANGLES) do
        local group = isHeldOut(math.floor(360 * at + 0.5)) and held or trained
        group[#group + 1] = at
    end
    local columns = { { "trained", "trained angles" }, { "held", "held-out angles" } }
    if each then
        for i, at in ipairs(held) do columns[2 + i] = { "at" .. i, string.format("%.0f degrees", 360 * at), 1, " %.2f", "" } end
    end
    local r = networks.compare(name, withChanges({ ["task.support"] = support }, list), seeds, o, function(s)
        local found = { trained = networks.test(s, trained).metrics.accuracy, held = networks.test(s, held).metrics.accuracy }
        for i = 1, #columns - 2 do found["at" .. i] = networks.test(s, { held[i] }).metrics.accuracy end
        return found
    end)
    networks.table(title, r, columns)
    return function(condition) return r[condition].median.held end
end

if wanted("e2") then
    local list = { table.unpack(BASELINES) }
    list[#list + 1] = { "ellipse", "manifold_rotation", {} }
    list[#list + 1] = { "fourier, 2 harmonics", "manifold_rotation", { ["basis.topology"] = "fourier" } }
    local a = heldOut("E2", "E2 trained on 0 to 270 degrees (Gamma of the whole circle)", { 0, 0.75 }, list, o.seeds,
        function(degrees) return degrees >= 270 end, true)
    bar("E2 held out: ellipse >= concat + 0.10", a "ellipse" >= a "concat" + 0.10)
    bar("E2 held out: ellipse >= concat_wide + 0.07", a "ellipse" >= a "concat_wide" + 0.07)
    bar("E2 held out: fourier < ellipse", a "fourier, 2 harmonics" < a "ellipse")
end

if wanted("e2b") then
    local list = { BASELINES[2], BASELINES[3], { "ellipse", "manifold_rotation", {} } }
    for _, c in ipairs(list) do c[3] = { iterations = 1000, ["hidden.units"] = c[3]["hidden.units"] } end
    for _, gap in ipairs { 30, 60 } do
        local support = {}
        for quarter = 0, 3 do
            support[#support + 1] = quarter / 4
            support[#support + 1] = (90 * (quarter + 1) - gap) / 360
        end
        local a = heldOut("E2b", string.format("E2b the last %d degrees of each quarter turn left out", gap), support, list, 1,
            function(degrees) return degrees % 90 >= 90 - gap end)
        bar(string.format("E2b gaps of %d degrees: ellipse > concat_wide > concat", gap), a "ellipse" > a "concat_wide" and a "concat_wide" > a "concat")
    end
end

-- E3: noise is removed ------------------------------------------------------------------------------------------------

if wanted("e3") then
    local noises = networks.range(0, 11, 0.1)
    local list = {
        { "none", "manifold_denoise_none", {} },
        { "concat", "manifold_denoise_concat", {} },
        { "concat_wide", "manifold_denoise_concat", { ["hidden.units"] = 128 } },
        { "line, plain", "manifold_denoise", { ["hidden.gradient"] = "plain", ["readout.gradient"] = "plain" } },
        { "line", "manifold_denoise", {} },
    }
    local r = networks.compare("E3", list, o.seeds, o, function(s)
        return {
            all = networks.test(s, noises).metrics.final_error,
            clean = networks.test(s, { 0 }).metrics.final_error,
            noisy = networks.test(s, { 1 }).metrics.final_error,
        }
    end)
    networks.table("E3 noise is removed: squared error of a pixel x 1000", r, {
        { "all", "s = 0 to 1", 1000, " %.1f", " (%.1f)" }, { "clean", "s = 0", 1000, " %.1f", " (%.1f)" }, { "noisy", "s = 1", 1000, " %.1f", " (%.1f)" },
    })
    local a = function(name) return r[name].median.all end
    bar("E3 line < 0.92 concat", a "line" < 0.92 * a "concat")
    bar("E3 line < concat_wide", a "line" < a "concat_wide")
    bar("E3 natural < 0.95 plain gradient", a "line" < 0.95 * a "line, plain")
end

-- E4: two angles ------------------------------------------------------------------------------------------------------

if wanted("e4") then
    local list = {
        { "none", "manifold_torus_none", {} },
        { "concat", "manifold_torus_concat", {} },
        { "concat, 5 x wide", "manifold_torus_concat", { ["hidden.units"] = 320 } },
        { "torus_product", "manifold_torus", { ["basis.topology"] = "torus_product" } },
        { "torus_sum", "manifold_torus", {} },
    }
    local r = networks.compare("E4", list, 1, o, function(s)
        return { accuracy = s:evaluate { trials = 4 * s:experiment():get("task.test_images"), set = { ["task.split"] = "test" } }.metrics.accuracy }
    end)
    networks.table("E4 digits turned and shifted", r, { { "accuracy", "accuracy" } })
    bar("E4 torus_sum >= concat + 0.08", r["torus_sum"].median.accuracy >= r["concat"].median.accuracy + 0.08)
end

-- E5: a caution, without bars -----------------------------------------------------------------------------------------

if wanted("e5") then
    local columns = { { "all", "s = 0 to 1" }, { "clean", "s = 0" }, { "noisy", "s = 1" }, { "low", "lower part" }, { "high", "upper part" } }
    local function measure(border) -- the last context of the lower part, in tenths
        return function(s)
            local function accuracy(first, last) return networks.test(s, networks.range(first / 10, last - first + 1, 0.1)).metrics.accuracy end
            return { all = accuracy(0, 10), clean = accuracy(0, 0), noisy = accuracy(10, 10), low = accuracy(0, border), high = accuracy(border + 1, 10) }
        end
    end
    local plain = { ["hidden.gradient"] = "plain", ["readout.gradient"] = "plain" }
    local many = o.source == "mnist" and 60000 or 20000
    local whole = { ["task.train_images"] = many, ["task.validation_images"] = 0, iterations = 3 * many // 100 }
    local function decay(rate) return { ["stages[0].schedules"] = { learning_rate = { kind = "linear", from = rate + 1e-4, to = 1e-4 } } } end
    local function with(...)
        local result = {}
        for _, list in ipairs { ... } do
            for key, value in pairs(list) do result[key] = value end
        end
        return result
    end
    local cases = {
        { "E5 digits in noise (deviation up to 1)", whole },
        { "E5 deviation up to 2, learning rate 0.05", with(decay(0.05), { ["task.noise"] = 2, iterations = 300 }) },
        { "E5 deviation up to 2, learning rate 0.01", with(decay(0.01), { ["task.noise"] = 2, iterations = 300 }) },
        { "E5 trained on s <= 0.5", with(whole, { ["task.support"] = { 0, 0.5 } }), { 0, 0.5 } },
        { "E5 trained on s >= 0.4 (lower part: s <= 0.3)", with(whole, { ["task.support"] = { 0.4, 1 } }), { 0.4, 1 }, 3 },
    }
    for _, case in ipairs(cases) do
        local list = {
            { "none", "manifold_noise_none", {} },
            { "concat", "manifold_noise_concat", {} },
            { "concat_wide", "manifold_noise_concat", { ["hidden.units"] = 64 } },
            { "line, plain", "manifold_noise", plain },
            { "line", "manifold_noise", {} },
        }
        if case[3] then list[#list + 1] = { "line, Gamma of what is trained", "manifold_noise", { ["basis.support"] = case[3] } } end
        networks.table(case[1], networks.compare("E5", withChanges(case[2], list), 1, o, measure(case[4] or 5)), columns)
    end
end

-- E6: the manifold does not depend on how it is written ---------------------------------------------------------------

if wanted("e6") then
    local function session(topology)
        local e = raphe.load("manifold_denoise"):set("task.source", o.source):set("basis.topology", topology):set("precision", "float64")
        e:set("stages", {})
        return e:set("iterations", 100):set("learner.learning_rate", 0.01):session { seed = 1, threads = o.threads }
    end
    local line, centred = session "line", session "line_centered"
    local largest = 0
    local halves = {}
    for _, name in ipairs { "hidden.weight", "hidden.bias", "readout.weight", "readout.bias" } do
        local w = line:get(name)
        local rows = w.shape[1] // 2
        -- Ends that differ, so that there is a manifold to be the same.
        w = w:map(function(x) return x end)
        for i = 1, rows do
            for j = 1, w.shape[2] do w:set(rows + i, j, w:get(rows + i, j) * 0.5) end
        end
        line:set(name, w)
        local c = w:copy()
        for i = 1, rows do
            for j = 1, w.shape[2] do
                local a, b = w:get(i, j), w:get(rows + i, j)
                c:set(i, j, (a + b) / 2)
                c:set(rows + i, j, (b - a) / 2)
            end
        end
        centred:set(name, c)
        halves[name] = rows
    end
    local steps = o.iterations and math.min(o.iterations, 100) or 100
    line:train { iterations = steps }
    centred:train { iterations = steps }
    for name, rows in pairs(halves) do
        local w, c = line:get(name), centred:get(name)
        for i = 1, rows do
            for j = 1, w.shape[2] do
                largest = math.max(largest, math.abs(w:get(i, j) - (c:get(i, j) - c:get(rows + i, j))), math.abs(w:get(rows + i, j) - (c:get(i, j) + c:get(rows + i, j))))
            end
        end
    end
    print(string.format("\nE6 line and line_centered after %d steps differ by %.1e", steps, largest))
    bar("E6 both parametrisations are one manifold to 1e-9", largest < 1e-9)
end

print("")
local passed = #bars == 0 or protocol.bars(bars)
for _, figure in ipairs(figures) do
    raphe.plot(figure)
    print("figure: " .. figure.file)
end
return passed and 0 or 1
