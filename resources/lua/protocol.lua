-- SPDX-License-Identifier: Apache-2.0
-- What protocols have in common: options on the command line, means over iterations, and bars that results must meet.
--
--   local protocol = require "raphe.protocol"
local raphe = require "raphe"
local protocol = {}

--- In `options`: a whole number that has no default.
protocol.whole = {}

--- Reads the words after the script's name. The defaults say what there is and of which kind: false is a flag, a number
--- (or protocol.whole) takes a whole number, a text takes a text.
---   protocol.options({ seeds = 3, full = false, out = "runs/x", threads = protocol.whole }, raphe.args)
function protocol.options(defaults, words)
    local result, names = {}, {}
    for name, default in pairs(defaults) do
        if default ~= protocol.whole then result[name] = default end
        names[#names + 1] = "--" .. name
    end
    table.sort(names)
    local i = 1
    while i <= #words do
        local word = words[i]
        local name = word:match("^%-%-(.+)$")
        local default = name and defaults[name]
        if default == nil then error(string.format("unknown option %q; there are %s", word, table.concat(names, ", ")), 0) end
        if default == false then
            result[name] = true
        else
            i = i + 1
            local value = words[i]
            if type(default) == "string" then
                result[name] = value or error(word .. ": expected a text after it", 0)
            else
                result[name] = value and math.tointeger(tonumber(value))
                    or error(string.format("%s: expected a whole number after it, got %s", word, value or "nothing"), 0)
            end
        end
        i = i + 1
    end
    return result
end

--- The options of a protocol that does a study, with further ones of its own.
function protocol.study_options(more)
    local options = { seeds = protocol.whole, iterations = protocol.whole, workers = protocol.whole, out = "" }
    for name, default in pairs(more or {}) do options[name] = default end
    return options
end

--- Does the runs of a study that are missing. `o` holds what protocol.study_options() reads.
--- @return study, folder, results, and the variants in the order of the study, each with `name` and `runs` (by seed);
--- nothing, after a sentence, if some runs could not be done
function protocol.study(name, o)
    local raphe = require "raphe"
    local folder = o.out ~= "" and o.out or "studies/" .. name
    local study = raphe.study(name, { out = folder, seeds = o.seeds, iterations = o.iterations })
    local counted = study:run { workers = o.workers }
    if counted.done < counted.total then
        print(string.format("%d of %d runs are done, %d failed; see raphe study status %s", counted.done, counted.total, counted.failed, folder))
        return nil
    end
    local results, variants = study:results(), {}
    for _, run in ipairs(results.runs) do
        local last = variants[#variants]
        if not last or last.name ~= run.variant then
            last = { name = run.variant, runs = {} }
            variants[#variants + 1] = last
        end
        last.runs[#last.runs + 1] = run
    end
    return study, folder, results, variants
end

--- A measure of the runs of a variant, by seed.
function protocol.measures(variant, measure)
    local values = {}
    for i, run in ipairs(variant.runs) do values[i] = run.measures[measure] end
    return values
end

--- Mean of the last `count` values.
function protocol.tail(values, count)
    local sum, first = 0, math.max(1, #values - count + 1)
    for i = first, #values do sum = sum + values[i] end
    return sum / (#values - first + 1)
end

--- Moving mean over the last `width` values.
function protocol.smooth(values, width)
    local result, sum = {}, 0
    for i, v in ipairs(values) do
        sum = sum + v
        if i > width then sum = sum - values[i - width] end
        result[i] = sum / math.min(i, width)
    end
    return result
end

--- The bars of a study's results, and after them `more`, as protocol.bars() takes them.
function protocol.study_bars(results, more)
    local bars = {}
    for i, bar in ipairs(results.bars) do bars[i] = { bar.bar, bar.met } end
    for _, bar in ipairs(more or {}) do bars[#bars + 1] = bar end
    return bars
end

--- Prints which bars {text, met} are met, and says whether all are.
function protocol.bars(bars)
    local all = true
    for _, bar in ipairs(bars) do
        print(string.format("%-4s %s", bar[2] and "met" or "NOT", bar[1]))
        all = all and bar[2]
    end
    print(all and "all bars are met" or "some bars are NOT met")
    return all
end

local figure = {}
figure.__index = figure

--- A figure that grows panel by panel: {file =, columns = 3, width = 260} (mm on paper).
function protocol.figure(o) return setmetatable({ file = o.file, columns = o.columns or 3, width = o.width or 260, panels = {} }, figure) end

--- Adds a panel. @param x, y  the label of an axis, or all of it as a table  @param more  further fields, such as legend
function figure:panel(title, x, y, series, more)
    local panel = { title = title, x = type(x) == "table" and x or { label = x }, y = type(y) == "table" and y or { label = y }, series = series }
    for key, value in pairs(more or {}) do panel[key] = value end
    self.panels[#self.panels + 1] = panel
end

--- Draws it and prints where it is; nothing if there are no panels.
function figure:draw()
    if #self.panels == 0 then return end
    raphe.plot { file = self.file, width = self.width, layout = { rows = math.ceil(#self.panels / self.columns), columns = self.columns }, panels = self.panels }
    print("figure: " .. self.file)
end

return protocol
