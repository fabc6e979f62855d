-- wrk: each request carries one of 10 000 session cookies.
local count = 10000
local path = os.getenv("BENCH_PATH") or "/"
local requests = {}
function init(args)
  math.randomseed(os.time())
  for i = 0, count - 1 do
    requests[i] = wrk.format("GET", path, { Host = "bench.example", Cookie = string.format("sid=bench-session-%08d", i) })
  end
end
function request() return requests[math.random(0, count - 1)] end
