-- Asks doorward what becomes of a request (docs/forward-auth.md).
--
--   http-request lua.doorward ADDRESS NAME,NAME,...
--
-- When doorward allows it, the headers of these names are those of its answer, and txn.doorward_allows is true. Else its
-- answer goes to the client: 401, 403, 503, or 302 to the login for people.

-- About one connection or one body only, or written anew below. What a client says of the other family of names stays:
-- doorward refuses it where it is another story.
local not_passed_on = {
  ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true, ["keep-alive"] = true,
  ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true, ["transfer-encoding"] = true, ["upgrade"] = true,
  ["x-forwarded-for"] = true, ["x-forwarded-host"] = true, ["x-forwarded-method"] = true,
  ["x-forwarded-proto"] = true, ["x-forwarded-uri"] = true,
}
local passed_back = { "cache-control", "content-type", "location", "retry-after", "set-cookie", "www-authenticate" }
local timeout_ms = 2000

local function all(values)
  local list = {}
  for _, value in pairs(values) do list[#list + 1] = value end
  return list
end

local function ask(txn, address)
  local headers = {}
  for name, values in pairs(txn.http:req_get_headers()) do
    if not not_passed_on[name] then headers[name] = all(values) end
  end
  headers["x-forwarded-for"] = { txn.f:src() }
  headers["x-forwarded-host"] = { txn.f:req_hdr("host") }
  headers["x-forwarded-method"] = { txn.f:method() }
  headers["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" }
  headers["x-forwarded-uri"] = { txn.f:pathq() }
  local url = "http://" .. address .. "/.doorward/auth?redirect=1"
  return core.httpclient():get({ url = url, headers = headers, timeout = timeout_ms })
end

core.register_action("doorward", { "http-req" }, function(txn, address, names)
  local answer = ask(txn, address)
  if answer and answer.status == 200 then
    for name in names:gmatch("[^,]+") do
      txn.http:req_del_header(name)
      local values = answer.headers[name:lower()]
      local value = values and all(values)[1]
      if value and value ~= "" then txn.http:req_add_header(name, value) end
    end
    txn:set_var("txn.doorward_allows", true)
    return
  end
  local reply = txn:reply({ status = 503 })
  if answer and (answer.status == 302 or answer.status == 401 or answer.status == 403 or answer.status == 503) then
    reply:set_status(answer.status)
    for _, name in ipairs(passed_back) do
      for _, value in pairs(answer.headers[name] or {}) do reply:add_header(name, value) end
    end
    reply:set_body(answer.body or "")
  end
  txn:done(reply)
end, 2)
