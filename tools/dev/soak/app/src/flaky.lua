-- A service that never lasts: it fails, or ends well, after a while.
return { main = function()
    time.sleep(math.random(10, 300) .. "ms")
    if math.random() < 0.9 then error("flaky as ever") end
    error({})
end }
