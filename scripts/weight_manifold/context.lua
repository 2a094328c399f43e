-- SPDX-License-Identifier: Apache-2.0
-- Infers the context of images from a trained weight manifold, by gradient descent on the context from several starts.
local raphe = require "raphe"

local context = {}

--- Losses of each trial and their gradients with respect to the logits. Without labels: the entropy of the output.
local function objective(logits, labels, trials, classes)
    local losses, slopes = {}, raphe.zeros { 1, trials, classes }
    for b = 1, trials do
        local top, sum, p = -math.huge, 0, {}
        for i = 1, classes do top = math.max(top, logits:get(1, b, i)) end
        for i = 1, classes do
            p[i] = math.exp(logits:get(1, b, i) - top)
            sum = sum + p[i]
        end
        local entropy = 0
        for i = 1, classes do
            p[i] = p[i] / sum
            entropy = entropy - p[i] * math.log(p[i] + 1e-30)
        end
        losses[b] = labels and 0 or entropy
        for i = 1, classes do
            if labels then
                local wanted = labels:get(1, b, i)
                if wanted > 0 then losses[b] = -math.log(p[i] + 1e-30) end
                slopes:set(1, b, i, p[i] - wanted)
            else
                slopes:set(1, b, i, -p[i] * (math.log(p[i] + 1e-30) + entropy))
            end
        end
    end
    return losses, slopes
end

--- @param images (1, trials, pixels)  @param labels (1, trials, classes), or nil: the entropy is made small instead
--- Returns by trial the context of the lowest objective, and which class is largest there.
function context.infer(s, images, labels, options)
    local starts, steps, rate = options.starts or 8, options.steps or 20, options.rate or 0.02
    local trials = images.shape[2]
    local best, found, class = {}, {}, {}
    for start = 1, starts do
        local at = raphe.zeros { 1, trials, 1 }
        for b = 1, trials do at:set(1, b, 1, (start - 0.5) / starts) end
        for step = 0, steps do
            local inputs = { ["task.image"] = images, ["task.context"] = at }
            local logits = s:forward { inputs = inputs, record = { "readout.output" } }.signals["readout.output"]
            local losses, slopes = objective(logits, labels, trials, logits.shape[3])
            for b = 1, trials do
                if not best[b] or losses[b] < best[b] then
                    best[b], found[b] = losses[b], at:get(1, b, 1) % 1
                    local top = 1
                    for i = 2, logits.shape[3] do
                        if logits:get(1, b, i) > logits:get(1, b, top) then top = i end
                    end
                    class[b] = top
                end
            end
            if step < steps then
                local g = s:gradient { inputs = inputs, output = "readout.output", weights = slopes }.inputs["task.context"]
                local size = rate * (1 - step / steps)
                for b = 1, trials do
                    local slope = g:get(1, b, 1)
                    if slope ~= 0 then at:set(1, b, 1, at:get(1, b, 1) - size * slope / (math.abs(slope) + 0.1)) end
                end
            end
        end
    end
    return found, class
end

return context
