#pragma once

#include <string>
#include <string_view>

/// What changes sessions in Redis: one script each, so that no interleaving of requests, workers and programs can leave
/// half of a change behind. All of them find the user's index by what the record itself says; that is fine for a single
/// server, while a cluster needs keys that share a slot, as `layout: tagged` makes them. Times are Redis's own.
///
/// Redis 5 or later (scripts replicate by effect). Keys, arguments and results: docs/redis.md.
namespace doorward::session::scripts {

/// Stands before each script. A session that somebody else ends leaves a mark in its place, which is no session (it has
/// no user) and says why for as long as `ended_ms`; then whoever comes with its id can be told.
inline constexpr std::string_view prelude = R"(
local ended_ms = 15 * 60 * 1000
local function user_of(key, field)
  local user = redis.pcall('HGET', key, field)
  if type(user) == 'string' and user ~= '' then return user end
  return nil
end
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function whole(n) return string.format('%.0f', n) end
local function ms(text)
  if type(text) ~= 'string' or not string.match(text, '^%d+$') then return nil end
  local n = tonumber(text)
  if n < 1e11 then n = n * 1000 end
  return n
end
local function mark(key, reason)
  redis.call('DEL', key)
  redis.call('HSET', key, 'doorward.ended', reason)
  redis.call('PEXPIRE', key, ended_ms)
end
local function is_over(created, absolute_until, absolute, now)
  if absolute_until and not ms(absolute_until) then return true end
  local ends = ms(absolute_until)
  if not ends and ms(created) then ends = ms(created) + tonumber(absolute) end
  return ends ~= nil and ends <= now
end
)";

/// Slides the idle time of a session that is still there, and notes when it was seen. A key that is gone is not written
/// to: that, and nothing else, is what keeps a logged-out session from coming back.
///
/// KEYS[1] session. ARGV: user field, last-seen field, created field, idle ms, absolute ms, touch-every ms.
/// Returns 1 done, 2 done by another just now, 0 no session (any more).
inline constexpr std::string_view touch = R"(
local f = redis.pcall('HMGET', KEYS[1], ARGV[1], ARGV[2], ARGV[3], 'doorward.absoluteUntil', 'doorward.idle')
if f.err or not f[1] or f[1] == '' then return 0 end
local now = now_ms()
local seen = ms(f[2])
if seen and math.abs(now - seen) < tonumber(ARGV[6]) then return 2 end
local ends = ms(f[4])
if f[4] and not ends then return 0 end
if not ends then
  local created = ms(f[3])
  ends = (created or now) + tonumber(ARGV[5])
  if not created then redis.call('HSET', KEYS[1], 'doorward.absoluteUntil', whole(ends)) end
end
local idle = tonumber(ARGV[4])
if f[5] and string.match(f[5], '^[1-9]%d*$') then idle = tonumber(f[5]) * 1000 end
local left = math.min(idle, ends - now)
if left <= 0 then
  mark(KEYS[1], 'expired')
  return 0
end
redis.call('HSET', KEYS[1], ARGV[2], whole(now))
redis.call('PEXPIRE', KEYS[1], whole(left))
return 1
)";

/// Writes a session and enters it in its user's index; ends the session it replaces, the user's others if asked to, and
/// the oldest of them where there would be more than the limits: on this class of device first, then of all. The record
/// and its expiry come first: were the rest refused (memory, permissions), nothing would be left that lives for ever.
///
/// A log-out everywhere leaves its time. A login that began before it is not written, however late it comes here: who
/// logged out everywhere meant it.
///
/// KEYS[1] session, KEYS[2] index, KEYS[3] the time of the last log-out everywhere, then the sessions it replaces.
/// ARGV: user field, created field, last-seen field, idle ms, absolute ms, 1 = limits of its own, idle s, index ms,
/// index prefix, index suffix, 1 = end the others, ms since the login began, most sessions (0 = any number), 1 = refuse
/// beyond them, absolute ms of sessions without a limit of their own, most sessions on one class of device (0 = any
/// number), this one's class; then field, value, ... Returns four numbers as text: 1 done, 0 the id is taken, -1 the
/// index is not a set, -2 a log-out everywhere came after the login began, -3 as many sessions as there may be; then
/// how many were replaced, revoked and displaced.
inline constexpr std::string_view create = R"(
local function answer(status, replaced, revoked, displaced)
  return {whole(status), whole(replaced or 0), whole(revoked or 0), whole(displaced or 0)}
end
if redis.call('EXISTS', KEYS[1]) == 1 then return answer(0) end
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'set' and kind ~= 'none' then return answer(-1) end
local now = now_ms()
local ended = ms(redis.pcall('HGET', KEYS[3], 'at'))
if ended and ended >= now - tonumber(ARGV[12]) then return answer(-2) end

local user
for i = 18, #ARGV, 2 do
  if ARGV[i] == ARGV[1] then user = ARGV[i + 1] end
end
local goes = {}
for i = 4, #KEYS do goes[KEYS[i]] = true end
local others = {}
local most, most_alike, others_end = tonumber(ARGV[13]), tonumber(ARGV[16]), ARGV[11] == '1'
if most > 0 or most_alike > 0 or others_end then
  for _, key in ipairs(redis.call('SMEMBERS', KEYS[2])) do
    if user_of(key, ARGV[1]) ~= user then
      redis.call('SREM', KEYS[2], key)
    elseif not goes[key] then
      local f = redis.call('HMGET', key, ARGV[2], 'doorward.absoluteUntil', 'doorward.deviceClass')
      if is_over(f[1], f[2], ARGV[15], now) then
        redis.call('SREM', KEYS[2], key)
      else
        others[#others + 1] = {key = key, created = ms(f[1]) or 0, class = f[3] or 'other'}
      end
    end
  end
else
  for _, key in ipairs(redis.call('SRANDMEMBER', KEYS[2], 64)) do
    if user_of(key, ARGV[1]) ~= user then redis.call('SREM', KEYS[2], key) end
  end
end
local too_many = {}
if not others_end then
  table.sort(others, function(a, b)
    if a.created ~= b.created then return a.created < b.created end
    return a.key < b.key
  end)
  local all, alike = #others + 1, 1
  for _, other in ipairs(others) do
    if other.class == ARGV[17] then alike = alike + 1 end
  end
  local function let_go(other)
    other.goes = true
    too_many[#too_many + 1] = other.key
    all = all - 1
  end
  for _, other in ipairs(others) do
    if most_alike > 0 and alike > most_alike and other.class == ARGV[17] then
      let_go(other)
      alike = alike - 1
    end
  end
  for _, other in ipairs(others) do
    if most > 0 and all > most and not other.goes then let_go(other) end
  end
  if #too_many > 0 and ARGV[14] == '1' then return answer(-3) end
end

local stamp = whole(now)
local idle, absolute = tonumber(ARGV[4]), tonumber(ARGV[5])
redis.call('HSET', KEYS[1], ARGV[2], stamp, ARGV[3], stamp)
redis.call('PEXPIRE', KEYS[1], whole(math.min(idle, absolute)))
for i = 18, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
if ARGV[6] == '1' then
  redis.call('HSET', KEYS[1], 'doorward.absoluteUntil', whole(now + absolute), 'doorward.idle', ARGV[7])
end
local replaced, revoked, displaced = 0, 0, 0
for i = 4, #KEYS do
  if redis.call('TYPE', KEYS[i]).ok == 'hash' then
    local whose = user_of(KEYS[i], ARGV[1])
    redis.call('DEL', KEYS[i])
    if whose then
      replaced = replaced + 1
      redis.pcall('SREM', ARGV[9] .. whose .. ARGV[10], KEYS[i])
    end
  end
end
if others_end then
  for _, other in ipairs(others) do
    mark(other.key, 'revoked')
    redis.call('SREM', KEYS[2], other.key)
    revoked = revoked + 1
  end
end
for _, key in ipairs(too_many) do
  mark(key, 'displaced')
  redis.call('SREM', KEYS[2], key)
  displaced = displaced + 1
end
redis.call('SADD', KEYS[2], KEYS[1])
if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[8]) then redis.call('PEXPIRE', KEYS[2], ARGV[8]) end
return answer(1, replaced, revoked, displaced)
)";

/// Ends one session. Twice is fine.
///
/// KEYS[1] session. ARGV: user field, index prefix, index suffix, whose it has to be (empty = anybody's), 1 = leave a
/// mark. Returns 1 it was there, 0 it was not.
inline constexpr std::string_view end = R"(
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
local user = user_of(KEYS[1], ARGV[1])
if ARGV[4] ~= '' and user ~= ARGV[4] then return 0 end
if ARGV[5] == '1' then mark(KEYS[1], 'revoked') else redis.call('DEL', KEYS[1]) end
if not user then return 0 end
redis.pcall('SREM', ARGV[2] .. user .. ARGV[3], KEYS[1])
return 1
)";

/// Ends all sessions of a user, or all but one. What the index names is ended only if it is a session of this user: an
/// index is a set that others may write to. Logins of this user that have begun, and are not written yet, will not be.
///
/// KEYS[1] a session of the user's, or the index when ARGV[4] says whose. ARGV: user field, index prefix, index suffix,
/// user, 1 = that session stays, ms for which the time is kept, prefix and suffix of where. Returns how many were
/// ended.
inline constexpr std::string_view end_all = R"(
local user, own = ARGV[4], nil
if user == '' then
  if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return 0 end
  own, user = KEYS[1], user_of(KEYS[1], ARGV[1])
end
local ended, stays = 0, ARGV[5] == '1'
if own and not stays then
  redis.call('DEL', own)
  if user then ended = 1 end
end
if not user then return ended end
local index = ARGV[2] .. user .. ARGV[3]
local at = ARGV[7] .. user .. ARGV[8]
redis.call('DEL', at)
redis.call('HSET', at, 'at', whole(now_ms()))
redis.call('PEXPIRE', at, ARGV[6])
local members = redis.pcall('SMEMBERS', index)
if members.err then return ended end
for _, key in ipairs(members) do
  if key ~= own then
    if user_of(key, ARGV[1]) == user then
      mark(key, 'revoked')
      ended = ended + 1
    end
    redis.call('SREM', index, key)
  end
end
if not stays then redis.call('DEL', index) end
return ended
)";

/// The sessions of a user, the one seen last first; what the index names and is none (any more) leaves it.
///
/// KEYS[1] index. ARGV: user field, user, created field, last-seen field, most, absolute ms. Returns six texts for
/// each: key, created, last seen (both as they are), ms left, address, device.
inline constexpr std::string_view list = R"(
local members = redis.pcall('SMEMBERS', KEYS[1])
if members.err then return {} end
local found, now = {}, now_ms()
for _, key in ipairs(members) do
  local f = {}
  local own = user_of(key, ARGV[1]) == ARGV[2]
  if own then
    f = redis.call('HMGET', key, ARGV[3], ARGV[4], 'doorward.address', 'doorward.device', 'doorward.absoluteUntil')
  end
  if own and not is_over(f[1], f[5], ARGV[6], now) then
    found[#found + 1] = {key, f[1] or '', f[2] or '', whole(redis.call('PTTL', key)), f[3] or '', f[4] or '',
                         seen = ms(f[2]) or 0}
  else
    redis.call('SREM', KEYS[1], key)
  end
end
table.sort(found, function(a, b)
  if a.seen ~= b.seen then return a.seen > b.seen end
  return a[1] < b[1]
end)
local out = {}
for i = 1, math.min(#found, tonumber(ARGV[5])) do
  for k = 1, 6 do out[#out + 1] = found[i][k] end
end
return out
)";

/// A script as Redis gets it.
[[nodiscard]] inline std::string whole(std::string_view body) {
  return std::string(prelude).append(body);
}

}  // namespace doorward::session::scripts
