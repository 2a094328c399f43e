-- SPDX-License-Identifier: Apache-2.0
-- Delayed exclusive or (Liu et al. 2022): does the runs of the study that are missing, prints its table and bars, holds the gradient
-- of every credit against the exact one along a training, and draws learning curves and alignment. Stopped and started
-- again, it goes on where it was.
--
--   raphe lua scripts/modprop/delayed_xor.lua        the study delayed_xor_small: 6 credits, 1500 iterations, 8 seeds
--   options: --seeds N  --iterations N  --workers N  --out FOLDER
local raphe = require "raphe"
local protocol = require "raphe.protocol"

local o = protocol.options({ seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }, raphe.args)
local name = "delayed_xor_small"
local folder = o.out ~= "" and o.out or "studies/" .. name
local study = raphe.study(name, { out = folder, seeds = o.seeds, set = o.iterations and { iterations = o.iterations } })
local counted = study:run { workers = o.workers }
if counted.done < counted.total then
    print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
    return 1
end

local results = study:results()
local rules = {} -- in the order of the study: name, runs by seed
for _, run in ipairs(results.runs) do
    local last = rules[#rules]
    if not last or last.name ~= run.variant then
        last = { name = run.variant, runs = {} }
        rules[#rules + 1] = last
    end
    last.runs[#last.runs + 1] = run
end

print("| credit           | loss at the end: median (lowest-highest) | area  | accuracy >= .95 at the end |")
print("|------------------|------------------------------------------|-------|----------------------------|")
for _, rule in ipairs(rules) do
    local loss, area, solved = {}, {}, 0
    for i, run in ipairs(rule.runs) do
        loss[i], area[i] = run.measures.loss, run.measures.area
        if run.measures.accuracy >= 0.95 then solved = solved + 1 end
    end
    print(string.format("| %-16s | %24.3f (%.3f-%.3f) | %5.3f | %19d of %d |", rule.name, raphe.statistics.median(loss), math.min(table.unpack(loss)),
        math.max(table.unpack(loss)), raphe.statistics.median(area), solved, #rule.runs))
end
local bars = {}
for _, bar in ipairs(results.bars) do bars[#bars + 1] = { bar.bar, bar.met } end
local passed = protocol.bars(bars)

-- Alignment along a training with exact credit: cosine of the recurrent weights' gradients.
local credits = { "modprop", "modprop_type", "mdgl", "mdgl_type", "local" }
local iterations = o.iterations or 1500
local every = math.max(1, iterations // 15)
local session = raphe.load(name .. "_exact"):session { seed = 1, threads = 1 }
local x, cosines = {}, {}
for i = 0, iterations, every do
    if i > 0 then session:train { iterations = every } end
    x[#x + 1] = i
    for _, credit in ipairs(credits) do
        cosines[credit] = cosines[credit] or {}
        for _, tensor in ipairs(session:align_credit(credit)) do
            if tensor.name == "network.recurrent_weight" then table.insert(cosines[credit], tensor.cosine) end
        end
    end
end
local alignment = {}
for k, credit in ipairs(credits) do alignment[k] = { kind = "line", group = credit, name = credit, x = x, y = cosines[credit] } end

local strip, categories = {}, {}
for r, rule in ipairs(rules) do
    categories[r] = rule.name
    local at, y = {}, {}
    for i, run in ipairs(rule.runs) do at[i], y[i] = r - 1, run.measures.loss end
    strip[r] = { kind = "points", group = rule.name, x = at, y = y }
end
local curves = {}
for r, rule in ipairs(rules) do
    local sum, count = {}, #rule.runs
    for _, run in ipairs(rule.runs) do
        for i, value in ipairs(raphe.open_run(study:folder_of(run.id)).metrics.loss) do sum[i] = (sum[i] or 0) + value / count end
    end
    local at = {}
    for i = 1, #sum do at[i] = i - 1 end
    curves[r] = { kind = "line", group = rule.name, name = rule.name, x = at, y = protocol.smooth(sum, 50) }
end
local picture = folder .. "/delayed_xor.svg"
raphe.plot {
    file = picture,
    layout = { rows = 1, columns = 3 },
    panels = {
        { title = "Mean over the seeds", x = { label = "Iteration" }, y = { label = "Loss" }, series = curves },
        { title = "Each network at the end", x = { label = "Credit", categories = categories }, y = { label = "Loss", scale = "log" }, series = strip },
        { title = "Gradient of the recurrent weights", x = { label = "Iteration of a training with exact credit" }, y = { label = "Cosine to the exact gradient" }, series = alignment },
    },
}
print("figure: " .. picture)
return passed and 0 or 1
