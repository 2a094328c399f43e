-- SPDX-License-Identifier: Apache-2.0
-- Linear regression with a ridge, to ask how much of a quantity can be read from a signal.
--
--   local regression = require "raphe.regression"
local regression = {}

--- Solves A x = b for a symmetric positive definite A (list of lists), by Cholesky's decomposition.
function regression.solve(A, b)
    local n, L, x = #A, {}, {}
    for i = 1, n do
        L[i] = {}
        for j = 1, i do
            local sum = A[i][j]
            for k = 1, j - 1 do sum = sum - L[i][k] * L[j][k] end
            if i == j then
                if not (sum > 0) then error("regression.solve: the matrix is not positive definite", 2) end
                L[i][i] = math.sqrt(sum)
            else
                L[i][j] = sum / L[j][j]
            end
        end
    end
    for i = 1, n do
        local sum = b[i]
        for k = 1, i - 1 do sum = sum - L[i][k] * x[k] end
        x[i] = sum / L[i][i]
    end
    for i = n, 1, -1 do
        local sum = x[i]
        for k = i + 1, n do sum = sum - L[k][i] * x[k] end
        x[i] = sum / L[i][i]
    end
    return x
end

--- Fits y ~ offset + x w, where x is a tensor (samples, features) and y a list: minimises the mean square of the error plus
--- ridge * |w|^2; ridge > 0. Returns {weights =, offset =}.
function regression.fit(x, y, ridge)
    local samples, features = x.shape[1], x.shape[2]
    local middle, y_mean = x:mean(1), 0
    for i = 1, samples do y_mean = y_mean + y[i] / samples end
    local rows, moments = x:totable(), {}
    for _, row in ipairs(rows) do
        for f = 1, features do row[f] = row[f] - middle[f] end
    end
    for f = 1, features do
        local sum = 0
        for i = 1, samples do sum = sum + rows[i][f] * (y[i] - y_mean) end
        moments[f] = sum / samples
    end
    local centred = require "raphe".tensor(rows)
    local A = (centred:transpose():matmul(centred) / samples):totable()
    for f = 1, features do A[f][f] = A[f][f] + ridge end
    local model = { weights = regression.solve(A, moments), offset = y_mean }
    for f = 1, features do model.offset = model.offset - model.weights[f] * middle[f] end
    return model
end

--- What a fit says of other samples, as a list.
function regression.predict(model, x)
    local result = {}
    for i, row in ipairs(x:totable()) do
        local sum = model.offset
        for f, w in ipairs(model.weights) do sum = sum + w * row[f] end
        result[i] = sum
    end
    return result
end

--- Explained fraction of the variance of y, 1 - (mean square of the error) / variance; negative for worse than the mean of y.
function regression.explained(y, predicted)
    local mean, error, variance = 0, 0, 0
    for _, v in ipairs(y) do mean = mean + v / #y end
    for i, v in ipairs(y) do
        error = error + (v - predicted[i]) ^ 2
        variance = variance + (v - mean) ^ 2
    end
    return 1 - error / variance
end

--- Fits on the first half of the samples, and returns the explained fraction of the other half.
function regression.cross_validated(x, y, ridge)
    local rows, half, fit_x, test_x, fit_y, test_y = x:totable(), #y // 2, {}, {}, {}, {}
    for i, row in ipairs(rows) do
        local to_x, to_y = i <= half and fit_x or test_x, i <= half and fit_y or test_y
        to_x[#to_x + 1], to_y[#to_y + 1] = row, y[i]
    end
    local tensor = require "raphe".tensor
    return regression.explained(test_y, regression.predict(regression.fit(tensor(fit_x), fit_y, ridge), tensor(test_x)))
end

return regression
