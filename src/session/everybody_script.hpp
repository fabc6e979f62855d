#pragma once

#include <string_view>

namespace doorward::session::scripts {

/// Ends the sessions among the keys of one SCAN step. Indexes come with their users: whoever has one, and is logging in
/// just now, began before this step and is refused. A set that only looks like an index loses nothing but the names of
/// sessions that have ended; a hash that only looks like a session has a name that is no id.
///
/// No KEYS: which they are is what SCAN finds out. ARGV: cursor, how many keys, user field, session prefix, session
/// suffix, index prefix, index suffix, prefix and suffix of the time of the last log-out everywhere, ms for which that
/// is kept, 1 = keys bear tags (config::key_layout). Returns two texts: the next cursor (empty: SCAN is not allowed),
/// how many sessions were ended.
inline constexpr std::string_view end_some = R"(
local step = redis.pcall('SCAN', ARGV[1], 'COUNT', ARGV[2])
if step.err then return {'', '0'} end

local function inner(key, prefix, suffix)
  if #key <= #prefix + #suffix or string.sub(key, 1, #prefix) ~= prefix then return nil end
  if string.sub(key, #key - #suffix + 1) ~= suffix then return nil end
  return string.sub(key, #prefix + 1, #key - #suffix)
end
local function untagged(text)
  if ARGV[11] ~= '1' then return '', text end
  local tag, rest = string.match(text, '^({[0-9a-f][0-9a-f][0-9a-f][0-9a-f]})(.+)$')
  return tag, rest
end

local ended, noted = 0, {}
local function note(tag, user)
  local at = ARGV[8] .. tag .. user .. ARGV[9]
  if noted[at] then return end
  noted[at] = true
  redis.call('DEL', at)
  redis.call('HSET', at, 'at', whole(now_ms()))
  redis.call('PEXPIRE', at, ARGV[10])
end
local function finish(key, index)
  mark(key, 'revoked')
  redis.pcall('SREM', index, key)
  ended = ended + 1
end

local function index_of(key)
  local tag, user = untagged(inner(key, ARGV[6], ARGV[7]) or '')
  if tag and tag ~= '' then
    user = string.match(user, '^:(.+)$')
    tag = tag .. ':'
  end
  if not user or user == '' or redis.call('TYPE', key).ok ~= 'set' then return nil end
  return tag, user
end
local function session_of(key)
  local tag, id = untagged(inner(key, ARGV[4], ARGV[5]) or '')
  if not id or string.find(id, '[^%w._~-]') then return nil end
  local length = #id + (tag ~= '' and 4 or 0)  -- the tag is a part of the id, its braces are not
  if length < 16 or length > 256 then return nil end
  local user = user_of(key, ARGV[3])
  if tag ~= '' then tag = tag .. ':' end
  return user and tag, user
end

for _, key in ipairs(step[2]) do
  local tag, user = index_of(key)
  if user then
    note(tag, user)
    for _, member in ipairs(redis.call('SMEMBERS', key)) do
      if user_of(member, ARGV[3]) == user then finish(member, key) end
    end
  else
    tag, user = session_of(key)
    if user then
      note(tag, user)
      finish(key, ARGV[6] .. tag .. user .. ARGV[7])
    end
  end
end
return {step[1], whole(ended)}
)";

}  // namespace doorward::session::scripts
