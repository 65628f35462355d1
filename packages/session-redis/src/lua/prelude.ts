import { RECORD_VERSION } from "@kyb/session-core/store";

/** What a script answers that found its shard on its way to another node. It has done nothing. */
export const MOVING = "moving";

/**
 * What all scripts have in common: time, the record's texts, the live indexes, and the one way in which a session ends.
 *
 * Every key a script touches begins with `KEYS[1]`, the shard's own beginning with its hash tag, so that all of
 * them lie in one slot. `ARGV[1..6]` are the same everywhere (see `script-runner.ts`), the script's own follow.
 *
 * Texts that come from users arrive encoded (see `text-code.ts`): no blank is in them, so that a record's parts are
 * blank-separated texts that need no parser. Lua compares strings by the server's locale; `precedes` compares bytes.
 */
export const PRELUDE: string = `
local call, base, channel, flags = redis.call, KEYS[1], ARGV[3], ARGV[4]

-- While a slot of a Cluster moves, some of its keys are here and some are there, and a script would take those for gone
-- that it does not see. Both nodes refuse a command about two keys they do not have: these two nobody ever has.
local here = redis.pcall('EXISTS', base .. 'nothing', base .. 'nowhere')
if type(here) == 'table' then
  if string.find(here.err, 'non local key', 1, true) then return {'0', '${MOVING}'} end
  return here
end

local retention = tonumber(ARGV[5]) or math.huge
local max_ended = tonumber(ARGV[6]) or math.huge
local now = tonumber(ARGV[1])
if not now then
  local time = call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local counted = string.find(flags, 'm', 1, true) ~= nil
local whole = string.find(flags, 'w', 1, true) ~= nil
local at = 6
local function arg()
  at = at + 1
  return ARGV[at]
end

-- The text of a number that reads back as the same number, written as JSON and JavaScript write it.
local function text_of(n)
  if n == 0 then return '0' end
  if n == math.floor(n) and n > -1e15 and n < 1e15 then return string.format('%.0f', n) end
  local text
  -- Fifteen digits are the shortest text or contain it, but for the smallest numbers, which carry fewer.
  for precision = math.abs(n) < 2.3e-308 and 0 or 14, 16 do
    text = string.format('%.' .. precision .. 'e', n)
    if tonumber(text) == n then break end
  end
  local sign, first, rest, exponent = string.match(text, '^(%-?)(%d)%.?(%d*)e([+-]%d+)$')
  local digits = string.gsub(first .. rest, '0+$', '')
  local size, point = #digits, tonumber(exponent) + 1
  if point > 21 or point < -5 then
    local e = point - 1
    local mantissa = size == 1 and digits or string.sub(digits, 1, 1) .. '.' .. string.sub(digits, 2)
    return sign .. mantissa .. 'e' .. (e < 0 and '-' or '+') .. string.format('%d', math.abs(e))
  end
  if point <= 0 then return sign .. '0.' .. string.rep('0', -point) .. digits end
  if point >= size then return sign .. digits .. string.rep('0', point - size) end
  return sign .. string.sub(digits, 1, point) .. '.' .. string.sub(digits, point + 1)
end

if ARGV[2] ~= '' and now > tonumber(ARGV[2]) then return {text_of(now), 'late'} end

local function answer(...) return {text_of(now), ...} end

local function precedes(left, right)
  for i = 1, math.min(#left, #right) do
    local l, r = string.byte(left, i), string.byte(right, i)
    if l ~= r then return l < r end
  end
  return #left < #right
end

local function count(field, by)
  if counted then call('HINCRBY', base .. 'h', field, by) end
end

local function lengthen(by)
  if by ~= 0 then call('HINCRBY', base .. 'h', 'tl', text_of(by)) end
end

local PARTS = '^${RECORD_VERSION}' .. string.rep(' (%S+)', 11) .. '$'

-- A record's moving parts, read from its field 't'; nil: it is none of this version.
local function parse(id, text)
  local access, activity, requests, confirmed, created, idle, absolute, provisional, user, ip, entries =
    string.match(text, PARTS)
  local r = {id = id, key = base .. 's:' .. id, user = user, ip = ip, confirmed = confirmed == '1'}
  r.access, r.activity, r.requests = tonumber(access), tonumber(activity), tonumber(requests)
  r.created, r.idle, r.absolute = tonumber(created), tonumber(idle), tonumber(absolute)
  r.provisional, r.entries = tonumber(provisional), tonumber(entries)
  if r.access and r.activity and r.requests and r.created and r.idle and r.absolute and r.entries then return r end
  return nil
end

-- A record as far as its moving parts go; nil: not there; bad: not readable, which is left alone.
local function load(id)
  local key = base .. 's:' .. id
  local got = redis.pcall('HMGET', key, 't', 'e')
  if got.err then return {id = id, key = key, bad = true, ended = call('ZSCORE', base .. 'ee', id)} end
  local r = got[1] and parse(id, got[1])
  if not r then
    if call('EXISTS', key) == 0 then return nil end
    r = {id = id, key = key, bad = true}
  end
  r.ended = got[2]
  return r
end

local function parts_of(r)
  return table.concat({'${RECORD_VERSION}', text_of(r.access), text_of(r.activity), text_of(r.requests), r.confirmed and '1' or '0',
    text_of(r.created), text_of(r.idle), text_of(r.absolute), r.provisional and text_of(r.provisional) or '-',
    r.user, r.ip, text_of(r.entries)}, ' ')
end

local function is_provisional(r) return r.provisional ~= nil and not r.confirmed end

local function deadline(r)
  local soft = is_provisional(r) and r.provisional or r.activity + r.idle
  return math.min(soft, r.absolute)
end

local function stage(r)
  if now < deadline(r) then return 'live' end
  if now >= r.absolute then return 'absolute' end
  return is_provisional(r) and 'provisional' or 'idle'
end

-- Live sessions by creation and by last access, each in two parts: so the first to go is at hand, and the parts' sizes
-- are the gauges.
local function creation_key(r) return base .. (r.user == '-' and is_provisional(r) and 'lp' or 'lc') end
local function access_key(r) return base .. (r.user == '-' and 'la' or 'ls') end

local function live_count() return call('ZCARD', base .. 'la') + call('ZCARD', base .. 'ls') end

local function publish(kind, r, reason)
  call('PUBLISH', channel, table.concat({kind, r.id, r.user, text_of(now), reason or '-'}, ' '))
end

-- Notes that a user's index, which lies in another slot, has to follow.
local function follow(id, user, how, created)
  call('HSET', base .. 'ux', id .. ' ' .. user, how .. ' ' .. text_of(created))
end

-- Takes an ended session out of the live indexes and files it with the ended ones.
local function settle(r, time, reason)
  if r.bad then
    r.user = r.user or '-'
    r.created = tonumber(call('ZSCORE', base .. 'lc', r.id) or call('ZSCORE', base .. 'lp', r.id) or time)
    r.access = tonumber(call('ZSCORE', base .. 'la', r.id) or call('ZSCORE', base .. 'ls', r.id) or time)
  end
  call('ZREM', base .. 'x', r.id)
  local was = call('ZREM', base .. 'la', r.id) + call('ZREM', base .. 'ls', r.id)
  call('ZREM', base .. 'lp', r.id)
  call('ZREM', base .. 'lc', r.id)
  if was > 0 then lengthen(r.created - r.access) end
  call('ZADD', base .. 'ee', text_of(time), r.id)
  call('ZADD', base .. 'ec', text_of(r.created), r.id)
  call('ZADD', base .. 'ea', text_of(r.access), r.id)
  if r.user ~= '-' then
    if whole then
      call('ZREM', base .. 'u:' .. r.user, r.id)
      call('ZADD', base .. 'ue:' .. r.user, text_of(r.created), r.id)
    else
      follow(r.id, r.user, 'ended', r.created)
    end
  end
  count('r:' .. reason, 1)
  publish('ended', r, reason)
end

local function forget(id)
  local parts = redis.pcall('HGET', base .. 's:' .. id, 't')
  local user = type(parts) == 'string' and string.match(parts, PARTS) and select(9, string.match(parts, PARTS)) or '-'
  call('UNLINK', base .. 's:' .. id, base .. 'a:' .. id)
  call('ZREM', base .. 'ee', id)
  call('ZREM', base .. 'ec', id)
  call('ZREM', base .. 'ea', id)
  if user == '-' then return end
  if whole then call('ZREM', base .. 'ue:' .. user, id)
  else follow(id, user, 'forgotten', 0) end
end

-- Forgets what ended too long ago or is too much, at most so many; answers whether something is left.
local function forget_ended(most)
  local excess = call('ZCARD', base .. 'ee') - max_ended
  if excess > 0 then
    for _, id in ipairs(call('ZRANGE', base .. 'ee', 0, math.min(excess, most) - 1)) do
      forget(id)
      most = most - 1
    end
    if most <= 0 then return true end
  end
  if retention == math.huge then return false end
  local old = call('ZRANGEBYSCORE', base .. 'ee', '-inf', text_of(now - retention), 'LIMIT', 0, most)
  for _, id in ipairs(old) do forget(id) end
  return #old == most
end

-- Ends, and what follows from them, make room: they are carried out also where maxmemory is reached. Redis lets a script
-- go on that has begun to write, and this order writes nothing.
local function insist() call('DEL', base .. 'nothing') end

local function finish(r, reason)
  insist()
  redis.pcall('HSET', r.key, 'e', text_of(now) .. ' ' .. reason)
  r.ended = text_of(now)
  settle(r, now, reason)
  if max_ended ~= math.huge then forget_ended(2) end
end

-- A member of the live indexes whose record vanished without having been ended.
local function vanished(id)
  local access = call('ZSCORE', base .. 'la', id) or call('ZSCORE', base .. 'ls', id)
  local created = call('ZSCORE', base .. 'lc', id) or call('ZSCORE', base .. 'lp', id)
  for _, name in ipairs({'x', 'la', 'ls', 'lc', 'lp'}) do call('ZREM', base .. name, id) end
  call('UNLINK', base .. 'a:' .. id)
  if not access then return end
  if created then lengthen(created - access) end
  call('HINCRBY', base .. 'h', 'lost', 1)
end

-- Whether a session that has not been ended is due; then it is ended now.
local function finish_if_due(r)
  local how = stage(r)
  if how == 'live' then return false end
  finish(r, how)
  return true
end

-- A session that may be changed; nil: it is gone. One that is met due is ended.
local function live(id)
  local r = load(id)
  if not r or r.ended or r.bad then return nil, r end
  if finish_if_due(r) then return nil, r end
  return r
end

-- All fields of a record; none where something else lies under its key.
local function record(id)
  local fields = redis.pcall('HGETALL', base .. 's:' .. id)
  return fields.err and {} or fields
end
`;
