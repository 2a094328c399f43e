-- SPDX-License-Identifier: Apache-2.0
-- Inside a weight manifold (Benjamin et al. 2025): an ellipse that learns digits at any angle is watched while it grows, and
-- then walked on, left, shrunk, cut and turned around.
--
--   raphe lua scripts/weight_manifold/probes.lua                        digits drawn with a pen, no files needed
--   RAPHE_DATA_DIR=data raphe lua scripts/weight_manifold/probes.lua --source mnist
--   options: --iterations N  --frames N (pictures of the filters along the way)  --threads N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"
local networks = require "networks"

local o = protocol.options({ source = "strokes", iterations = 600, frames = 0, threads = protocol.whole, out = "runs/weight_manifold" }, raphe.args)
local bars = {}
local function bar(text, met) bars[#bars + 1] = { text, met } end
local figure = protocol.figure { file = o.out .. "/manifold_probes.svg" }
local function line(name, x, y, more)
    local series = { kind = "line", name = name, x = x, y = y }
    for key, value in pairs(more or {}) do series[key] = value end
    return series
end
local LAYERS = { "hidden", "readout" }

--- The points P_k of a layer, weights and biases, as one list of tensors with one row each.
local function pointsOf(s, layer)
    local w, b = s:get(layer .. ".weight"), s:get(layer .. ".bias")
    local units, inputs = w.shape[1] // 3, w.shape[2]
    local weights, biases = w:reshape { 3, units * inputs }, b:reshape { 3, units }
    local points = {}
    for k = 1, 3 do points[k] = { weights:slice(1, k), biases:slice(1, k) } end
    return points
end
local function dot(p, q) return (p[1] * q[1]):sum() + (p[2] * q[2]):sum() end
local function minus(p, q) return { p[1] - q[1], p[2] - q[2] } end
--- Singular values of the two axes of an ellipse, the larger one first.
local function axesOf(points)
    local a, b, c = dot(points[2], points[2]), dot(points[3], points[3]), dot(points[2], points[3])
    local mean, spread = (a + b) / 2, math.sqrt(((a - b) / 2) ^ 2 + c ^ 2)
    return math.sqrt(math.max(mean + spread, 0)), math.sqrt(math.max(mean - spread, 0))
end

-- Growing -------------------------------------------------------------------------------------------------------------

local e = raphe.load("manifold_rotation"):set("task.source", o.source)
e:set("stages[0].iterations", o.iterations):set("iterations", o.iterations)
local s = e:session { seed = 1, threads = o.threads }
local at, centres, moved = {}, {}, { x = {}, y = {} }
local radius, ratio = {}, {}
for _, layer in ipairs(LAYERS) do radius[layer], ratio[layer] = {}, {} end
local function look()
    at[#at + 1] = s:iteration()
    for _, layer in ipairs(LAYERS) do
        local points = pointsOf(s, layer)
        local long, short = axesOf(points)
        radius[layer][#at] = math.sqrt((long ^ 2 + short ^ 2) / 2 / dot(points[1], points[1]))
        ratio[layer][#at] = long > 0 and short / long or 1
        if layer == "hidden" then centres[#at] = points[1] end
    end
end
look()
local slice = math.max(1, o.iterations // 24)
while s:iteration() < o.iterations do
    -- How far one step moves the manifold: D^2 = sum over points of Gamma_kl <dP_k, dP_l>, Gamma = diag(1, 1/2, 1/2).
    local before = {}
    for _, layer in ipairs(LAYERS) do before[layer] = pointsOf(s, layer) end
    s:train { iterations = 1 }
    local squares = 0
    for _, layer in ipairs(LAYERS) do
        local after = pointsOf(s, layer)
        for k = 1, 3 do
            local change = minus(after[k], before[layer][k])
            squares = squares + (k == 1 and 1 or 0.5) * dot(change, change)
        end
    end
    moved.x[#moved.x + 1], moved.y[#moved.y + 1] = s:iteration(), math.sqrt(squares)
    local left = math.min(slice - 1, o.iterations - s:iteration())
    if left > 0 then s:train { iterations = left } end
    look()
end
do
    local sizes, ratios = {}, {}
    for _, layer in ipairs(LAYERS) do
        sizes[#sizes + 1] = line(layer, at, radius[layer])
        ratios[#ratios + 1] = line(layer, at, ratio[layer])
    end
    figure:panel("Radius of the ellipse", "Iteration", { label = "Axes over centre", min = 0 }, sizes)
    figure:panel("How round it is", "Iteration", { label = "Short over long axis", min = 0, max = 1 }, ratios)
    figure:panel("Movement of the manifold", "Iteration", { label = "D of one step", min = 0 }, { line(nil, moved.x, moved.y) }, { legend = "none" })
end

-- The manifold in the plane of its axes, and the way its centre took to get there.
do
    local points = pointsOf(s, "hidden")
    local first = math.sqrt(dot(points[2], points[2]))
    local along = dot(points[2], points[3]) / first
    local across = math.sqrt(math.max(dot(points[3], points[3]) - along ^ 2, 0))
    local ellipse, marks = { x = {}, y = {} }, { x = {}, y = {} }
    for i = 0, 72 do
        local phi = networks.ellipse(i / 72)
        local x, y = phi[2] * first + phi[3] * along, phi[3] * across
        ellipse.x[i + 1], ellipse.y[i + 1] = x, y
        if i % 9 == 0 and i < 72 then marks.x[#marks.x + 1], marks.y[#marks.y + 1] = x, y end
    end
    figure:panel("Hidden weights, plane of the axes", "First axis", "Second axis", {
        line("manifold", ellipse.x, ellipse.y), { kind = "points", name = "every 45 degrees", x = marks.x, y = marks.y, size = 4 },
        { kind = "points", name = "centre", x = { 0 }, y = { 0 }, marker = "diamond" },
    })
    -- Its own principal components, from the products of its stations: power iteration, the first one taken out for the second.
    local stations, products, path = #centres, {}, {}
    for i = 1, stations do centres[i] = minus(centres[i], points[1]) end
    for i = 1, stations do
        products[i] = {}
        for j = 1, stations do products[i][j] = j < i and products[j][i] or dot(centres[i], centres[j]) end
    end
    for component = 1, 2 do
        local v, size = {}, 0
        for i = 1, stations do v[i] = 1 + i % 3 end
        for _ = 1, 200 do
            local w, squares = {}, 0
            for i = 1, stations do
                w[i] = 0
                for j = 1, stations do w[i] = w[i] + products[i][j] * v[j] end
                squares = squares + w[i] ^ 2
            end
            size = math.sqrt(squares)
            for i = 1, stations do v[i] = size > 0 and w[i] / size or 0 end
        end
        path[component] = {}
        for i = 1, stations do
            path[component][i] = v[i] * math.sqrt(size)
            for j = 1, stations do products[i][j] = products[i][j] - size * v[i] * v[j] end
        end
    end
    figure:panel("Way of its centre", "First principal component", "Second", {
        line("centre", path[1], path[2], { markers = true }), { kind = "points", name = "end", x = { path[1][stations] }, y = { path[2][stations] }, marker = "diamond" },
    })
end

-- What learning at one angle does at others: kappa(s', s) = phi(s')^T Gamma^-1 phi(s) = 1 + 2 cos 2 pi (s - s').
do
    local one = raphe.load("manifold_rotation"):set("task.source", o.source):set("task.at", { 0 }):set("learner.momentum", 0):set("precision", "float64")
    one:set("stages", {}):set("iterations", 1):set("learner.learning_rate", 0.1)
    local probe = one:session { seed = 1, threads = o.threads }
    for _, layer in ipairs(LAYERS) do
        probe:set(layer .. ".weight", s:get(layer .. ".weight"))
        probe:set(layer .. ".bias", s:get(layer .. ".bias"))
    end
    local before = pointsOf(probe, "hidden")
    probe:train { iterations = 1 }
    local after, changes = pointsOf(probe, "hidden"), {}
    for k = 1, 3 do changes[k] = minus(after[k], before[k]) end
    local function change(to)
        local phi = networks.ellipse(to)
        return { changes[1][1] * phi[1] + changes[2][1] * phi[2] + changes[3][1] * phi[3], changes[1][2] * phi[1] + changes[2][2] * phi[2] + changes[3][2] * phi[3] }
    end
    local here, x, y, theory, largest = change(0), {}, {}, {}, 0
    for i = 0, 24 do
        x[i + 1] = 15 * i
        y[i + 1] = 3 * dot(change(i / 24), here) / dot(here, here)
        theory[i + 1] = 1 + 2 * math.cos(2 * math.pi * i / 24)
        largest = math.max(largest, math.abs(y[i + 1] - theory[i + 1]))
    end
    figure:panel("A step at 0 degrees moves the others", { label = "Angle", unit = "degrees" }, "kappa", { line("measured", x, y, { markers = true }), line("1 + 2 cos", x, theory, { style = "dash" }) })
    bar(string.format("a step at one angle moves the others by kappa (largest difference %.0e)", largest), largest < 1e-6)
end

-- Walking, leaving, cutting -------------------------------------------------------------------------------------------

local EIGHT = networks.range(0, 8, 1 / 8)
local function accuracy(interventions, angles)
    return networks.test(s, angles or EIGHT, { set_more = { ["task.test_images"] = 500 }, interventions = interventions }).metrics.accuracy
end
local intact = accuracy({})
do -- closed: radius is the accuracy at an angle
    local x, y, circle = {}, {}, { x = {}, y = {} }
    for i = 0, 24 do
        local a = accuracy({}, { i % 24 / 24 })
        x[i + 1], y[i + 1] = a * math.cos(math.pi * i / 12), a * math.sin(math.pi * i / 12)
    end
    for i = 0, 72 do circle.x[i + 1], circle.y[i + 1] = math.cos(math.pi * i / 36), math.sin(math.pi * i / 36) end
    figure:panel("Accuracy around the circle", { label = "Accuracy x cosine", min = -1.1, max = 1.1 }, { label = "Accuracy x sine", min = -1.1, max = 1.1 },
        { line("accuracy", x, y), line("1", circle.x, circle.y, { style = "dot" }) })
end
do
    local x, y = {}, {}
    for i = -12, 12 do
        x[#x + 1] = 15 * i
        y[#y + 1] = accuracy { { port = "basis.context", operation = "perturb", value = i / 24 } }
    end
    figure:panel("Wrong level of the modulator", { label = "Added to the angle that is told", unit = "degrees" }, { label = "Accuracy", min = 0, max = 1 }, { line(nil, x, y, { markers = true }) }, { legend = "none" })
    bar(string.format("the right angle is the best one (%.3f, opposite %.3f)", y[13], y[1]), y[13] > y[1] and y[13] > y[19] and y[13] > y[7])
end
do
    local x, y = {}, {}
    for i = 0, 8 do
        x[i + 1] = i / 4
        y[i + 1] = accuracy { { port = "basis.phi", component = 1, count = 2, operation = "scale", value = i / 4 } }
    end
    figure:panel("Ellipse shrunk to its centre", "Gain on the axes", { label = "Accuracy", min = 0, max = 1 }, { line(nil, x, y, { markers = true }) }, { legend = "none" })
    bar(string.format("without its axes the network does not know the angle (%.3f to %.3f)", y[1], y[5]), y[1] < y[5])
end
do -- the loss of upright digits where other points of the plane are told
    local rows, gains, angles = {}, networks.range(0, 9, 0.25), networks.range(0, 13, 1 / 12)
    for i, gain in ipairs(gains) do
        rows[i] = {}
        for j, angle in ipairs(angles) do
            rows[i][j] = networks.test(s, { 0 }, { set_more = { ["task.test_images"] = 300 }, interventions = {
                { port = "basis.context", operation = "clamp", value = angle }, { port = "basis.phi", component = 1, count = 2, operation = "scale", value = gain } } }).metrics.loss
        end
    end
    figure:panel("Upright digits, off the ellipse", { label = "Told angle", unit = "degrees" }, "Gain on the axes",
        { { kind = "heatmap", values = rows, x_range = { -15, 375 }, y_range = { -0.125, 2.125 }, label = "Loss" } })
end
do
    local names, y = { "nothing", "cosine", "sine", "both" }, { intact }
    for i, lesions in ipairs { { 1 }, { 2 }, { 1, 2 } } do
        local list = {}
        for k, point in ipairs(lesions) do list[k] = { port = "basis.phi", component = point, operation = "lesion" } end
        y[1 + i] = accuracy(list)
    end
    print(string.format("accuracy %.3f; without the point of the cosine %.3f, of the sine %.3f, of both %.3f", table.unpack(y)))
    figure:panel("Points lesioned", { label = "Point", categories = names }, { label = "Accuracy", min = 0, max = 1 }, { { kind = "bars", x = { 0, 1, 2, 3 }, y = y } }, { legend = "none" })
end
do -- cosine and sine exchanged: the walk goes the other way around, M(s) is what M(1/4 - s) was
    local changed = e:session { seed = 1, threads = o.threads }
    for _, layer in ipairs(LAYERS) do
        for _, tensor in ipairs { "weight", "bias" } do
            local w = s:get(layer .. "." .. tensor)
            local rows, copy = w.shape[1] // 3, w:copy()
            for i = 1, rows do
                for j = 1, w.shape[2] do
                    copy:set(rows + i, j, w:get(2 * rows + i, j))
                    copy:set(2 * rows + i, j, w:get(rows + i, j))
                end
            end
            changed:set(layer .. "." .. tensor, copy)
        end
    end
    local function score(session, told)
        return networks.test(session, { 0.1 }, { set_more = { ["task.test_images"] = 500 }, interventions = { { port = "basis.context", operation = "clamp", value = told } } }).metrics.accuracy
    end
    local turned = networks.test(changed, EIGHT, { set_more = { ["task.test_images"] = 500 } }).metrics.accuracy
    print(string.format("with cosine and sine exchanged %.3f", turned))
    bar("exchanged, the walk goes the other way around", turned < intact and math.abs(score(changed, 0.15) - score(s, 0.1)) < 0.011)
    changed:close()
end
-- The centre alone, the axes alone.
for _, case in ipairs { { "only the centre is trained", { 1, 0, 0 } }, { "only the axes are trained", { 0, 1, 1 } } } do
    local part = raphe.load("manifold_rotation"):set("task.source", o.source):set("hidden.point_rates", case[2]):set("readout.point_rates", case[2])
    part:set("stages[0].iterations", o.iterations):set("iterations", o.iterations)
    local trained = part:session { seed = 1, threads = o.threads }
    trained:train { iterations = o.iterations }
    print(string.format("%s: accuracy %.3f (both: %.3f)", case[1], networks.test(trained, EIGHT, { set_more = { ["task.test_images"] = 500 } }).metrics.accuracy, intact))
    trained:close()
end
-- The walk: filters of the twelve units whose weights move most, as pictures.
if o.frames > 0 then
    local w, units = s:get("hidden.weight"), e:get("hidden.units")
    local order = {}
    for u = 1, units do
        local sum = 0
        for p = 1, 784 do sum = sum + w:get(units + u, p) ^ 2 + w:get(2 * units + u, p) ^ 2 end
        order[u] = { u, sum }
    end
    table.sort(order, function(a, b) return a[2] > b[2] end)
    for frame = 0, o.frames - 1 do
        local phi, shown = networks.ellipse(frame / o.frames), {}
        for i = 1, 12 do
            local rows, unit = {}, order[i][1]
            for row = 1, 28 do
                rows[row] = {}
                for column = 1, 28 do
                    local p = (row - 1) * 28 + column
                    rows[row][column] = phi[1] * w:get(unit, p) + phi[2] * w:get(units + unit, p) + phi[3] * w:get(2 * units + unit, p)
                end
            end
            shown[i] = { title = "Unit " .. unit, y = { reversed = true }, series = { { kind = "heatmap", values = rows, color_map = "diverging", min = -0.4, max = 0.4 } } }
        end
        raphe.plot { file = string.format("%s/walk_%03d.png", o.out, frame), title = string.format("%.0f degrees", 360 * frame / o.frames), width = 240, layout = { rows = 3, columns = 4 }, panels = shown }
    end
end

print()
local passed = protocol.bars(bars)
figure:draw()
return passed and 0 or 1
