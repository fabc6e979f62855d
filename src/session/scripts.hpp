#pragma once

#include <string_view>

/// What changes sessions in Redis: one script each, so that no interleaving of requests, workers and programs can leave
/// half of a change behind. All of them take the session's key and find the user's index by what the record itself
/// says; that is fine for a single server, while a cluster needs another layout of keys. Times are Redis's own.
///
/// Redis 5 or later (scripts replicate by effect). Keys, arguments and results: docs/redis.md.
namespace doorward::session::scripts {

/// Slides the idle time of a session that is still there, and notes when it was seen. A key that is gone is not written
/// to: that, and nothing else, is what keeps a logged-out session from coming back.
///
/// KEYS[1] session. ARGV: user field, last-seen field, created field, idle ms, absolute ms, touch-every ms.
/// Returns 1 done, 2 done by another just now, 0 no session (any more).
inline constexpr std::string_view touch = R"(
local f = redis.pcall('HMGET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], 'doorward.absoluteUntil', 'doorward.idle')
if f.err or not f[1] or f[1] == '' then return 0 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function ms(text)
  if not text or not string.match(text, '^%d+$') then return nil end
  local n = tonumber(text)
  if n < 1e11 then n = n * 1000 end
  return n
end
local seen = ms(f[2])
if seen and math.abs(now - seen) < tonumber(ARGV[6]) then return 2 end
local ends = ms(f[4])
if f[4] and not ends then return 0 end
if not ends then
  local created = ms(f[3])
  ends = (created or now) + tonumber(ARGV[5])
  if not created then
    redis.call('HSET', KEYS[1], 'doorward.absoluteUntil', string.format('%.0f', ends))
  end
end
local idle = tonumber(ARGV[4])
if f[5] and string.match(f[5], '^[1-9]%d*$') then idle = tonumber(f[5]) * 1000 end
local left = math.min(idle, ends - now)
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('HSET', KEYS[1], ARGV[2], string.format('%.0f', now))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
return 1
)";

/// Writes a session and enters it in its user's index; ends the session it replaces, and the user's others if asked to.
/// The record and its expiry come first: were the rest refused (memory, permissions), nothing would be left that lives
/// for ever.
///
/// KEYS[1] session, KEYS[2] index, KEYS[3] the session it replaces (optional). ARGV: user field, created field,
/// last-seen field, idle ms, absolute ms, 1 = limits of its own, idle s, index ms, index prefix, index suffix,
/// 1 = end the others; then field, value, ...
/// Returns 1 done, 2 done and the replaced one was there, 0 the id is taken, -1 the index is not a set.
inline constexpr std::string_view create = R"(
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'set' and kind ~= 'none' then return -1 end
local function user_of(key)
  local user = redis.pcall('HGET', key, ARGV[1])
  if type(user) == 'string' and user ~= '' then return user end
  return nil
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local stamp = string.format('%.0f', now)
local idle, absolute = tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('HSET', KEYS[1], ARGV[2], stamp, ARGV[3], stamp)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(idle, absolute)))
for i = 12, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[6] == '1' then
  redis.call('HSET', KEYS[1], 'doorward.absoluteUntil', string.format('%.0f', now + absolute), 'doorward.idle', ARGV[7])
end
local replaced = 0
if KEYS[3] and redis.call('TYPE', KEYS[3]).ok == 'hash' then
  local user = user_of(KEYS[3])
  replaced = redis.call('DEL', KEYS[3])
  if user then redis.pcall('SREM', ARGV[9] .. user .. ARGV[10], KEYS[3]) end
end
if ARGV[11] == '1' then
  local user = user_of(KEYS[1])
  for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    if user_of(key) == user then redis.call('DEL', key) end
  end
  redis.call('DEL', KEYS[2])
else
  for _, key in ipairs(redis.call('SRANDMEMBER', KEYS[2], 64)) do
    if redis.pcall('EXISTS', key) == 0 then redis.call('SREM', KEYS[2], key) end
  end
end
redis.call('SADD', KEYS[2], KEYS[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[8]) then redis.call('PEXPIRE', KEYS[2], ARGV[8]) end
return 1 + replaced
)";

/// Ends one session. Twice is fine.
///
/// KEYS[1] session. ARGV: user field, index prefix, index suffix. Returns 1 it was there, 0 it was not.
inline constexpr std::string_view end = R"(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local user = redis.call('HGET', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[1])
if user and user ~= '' then redis.pcall('SREM', ARGV[2] .. user .. ARGV[3], KEYS[1]) end
return 1
)";

/// Ends a session and all others of its user. What the index names is ended only if it is a session of this user: an
/// index is a set that others may write to.
///
/// KEYS[1] session. ARGV: user field, index prefix, index suffix. Returns how many were ended.
inline constexpr std::string_view end_all = R"(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local function user_of(key)
  local user = redis.pcall('HGET', key, ARGV[1])
  if type(user) == 'string' and user ~= '' then return user end
  return nil
end
local user = user_of(KEYS[1])
local ended = redis.call('DEL', KEYS[1])
if not user then return ended end
local index = ARGV[2] .. user .. ARGV[3]
local members = redis.pcall('SMEMBERS', index)
if members.err then return ended end
for _, key in ipairs(members) do
  if user_of(key) == user then ended = ended + redis.call('DEL', key) end
end
redis.call('DEL', index)
return ended
)";

}  // namespace doorward::session::scripts
