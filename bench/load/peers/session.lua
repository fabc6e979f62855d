-- What both nginx peers with Lua do to know who is asking. The session's user and role; or the status to refuse with.
local redis = require "nginx.redis"
local lookup = {}

function lookup.find(sid, port)
  if not sid or not ngx.re.find(sid, "^[A-Za-z0-9._~-]{16,256}$", "jo") then return nil, 401 end
  local red = redis:new()
  red:set_timeout(10000)
  if not red:connect("127.0.0.1", port) then return nil, 503 end
  local reply = red:hgetall("session:" .. sid)
  if not reply then return nil, 503 end
  red:set_keepalive(60000, 64)
  local user, role
  for i = 1, #reply, 2 do
    if reply[i] == "userId" then user = reply[i + 1] elseif reply[i] == "role" then role = reply[i + 1] end
  end
  if not user then return nil, 401 end
  return user, role or ""
end

return lookup
