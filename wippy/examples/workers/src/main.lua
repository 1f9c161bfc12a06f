local io = require("io")
local funcs = require("funcs")
local time = require("time")

type Result = {worker: integer, number: integer, prime: boolean}

local function worker(id: integer, jobs: any, results: any)
    while true do
        local number, open = jobs:receive()
        if not open then
            return
        end
        local prime, err = funcs.call("app:is_prime", number)
        if err then
            error(err)
        end
        results:send({ worker = id, number = number, prime = prime })
    end
end

local function main(workers: string?, numbers: string?): integer
    local worker_count = tonumber(workers or "4") or 4
    local job_count = tonumber(numbers or "40") or 40

    local jobs = channel.new(worker_count)
    local results = channel.new(worker_count)
    local started = time.now()

    for id = 1, worker_count do
        coroutine.spawn(function()
            worker(id, jobs, results)
        end)
    end

    coroutine.spawn(function()
        for i = 1, job_count do
            jobs:send(1000 + i)
        end
        jobs:close() -- receivers see the end after the last job
    end)

    local primes: {integer} = {}
    local done_by: {[integer]: integer} = {}
    for _ = 1, job_count do
        local result: Result = results:receive()
        done_by[result.worker] = (done_by[result.worker] or 0) + 1
        if result.prime then
            table.insert(primes, result.number)
        end
    end
    table.sort(primes)

    io.print(string.format("%d workers, %d jobs of 20 ms each: %d ms", worker_count, job_count,
        time.now():sub(started):milliseconds()))
    for id = 1, worker_count do
        io.print(string.format("  worker %d did %d jobs", id, done_by[id] or 0))
    end
    io.print("primes: " .. table.concat(primes, " "))
    return 0
end

return { main = main }
