/** Records what was observed of the sessions of one shard, each of them once: the caller has added up what belongs together. */
export const TRACK: string = `
local INSTANCES, MAX_ENDPOINTS, SECONDS = 1024, 200, 300
local instance, sequence, limit = arg(), tonumber(arg()), tonumber(arg())
if sequence > 0 then
  if sequence <= tonumber(call('HGET', base .. 'b', instance) or 0) then return answer('repeated') end
  call('HSET', base .. 'b', instance, sequence)
  call('ZADD', base .. 'bi', text_of(now), instance)
  if call('ZCARD', base .. 'bi') > INSTANCES then
    call('HDEL', base .. 'b', call('ZPOPMIN', base .. 'bi')[1])
  end
end

local second = math.floor(now / 1000)
local requests = tonumber(arg())
if counted and requests > 0 then
  count('tr', requests)
  local slot = 'q' .. text_of(second % 60)
  local held, before = string.match(call('HGET', base .. 'h', slot) or '', '^(%d+) (%d+)$')
  before = tonumber(held) == second and tonumber(before) or 0
  call('HSET', base .. 'h', slot, text_of(second) .. ' ' .. text_of(before + requests))
end
for _ = 1, tonumber(arg()) do count(arg(), arg()) end

-- Requests by endpoint. A new one takes the place of the least requested one, whose count goes to the others.
local size, known = nil, nil
for _ = 1, tonumber(arg()) do
  local endpoint, times = arg(), tonumber(arg())
  if counted and call('HEXISTS', base .. 'ep', endpoint) == 1 then
    local sum = call('HINCRBY', base .. 'ep', endpoint, times)
    if known then known[endpoint] = sum end
  elseif counted then
    size = size or call('HLEN', base .. 'ep')
    if size >= MAX_ENDPOINTS - 1 then
      if not known then
        known = {}
        local all = call('HGETALL', base .. 'ep')
        for i = 1, #all, 2 do known[all[i]] = tonumber(all[i + 1]) end
      end
      local least, fewest = nil, math.huge
      for name, sum in pairs(known) do
        if sum < fewest then least, fewest = name, sum end
      end
      call('HDEL', base .. 'ep', least)
      count('oe', fewest)
      known[least] = nil
      size = size - 1
    end
    call('HSET', base .. 'ep', endpoint, times)
    if known then known[endpoint] = times end
    size = size + 1
  end
end

local seen, users = {}, {}
for _ = 1, tonumber(arg()) do
  local id, accessed, acted = arg(), tonumber(arg()), tonumber(arg())
  local confirms, visits, entries = arg() == '1', tonumber(arg()), tonumber(arg())
  local r, other = live(id)
  local known_as = r or other
  if visits > 0 and counted and known_as and known_as.user and known_as.user ~= '-' and not seen[known_as.user] then
    seen[known_as.user] = true
    users[#users + 1] = known_as.user
  end
  if not r then
    at = at + entries
  else
    local function clamped(time) return time <= now and time or math.min(time, r.absolute) end
    local was_access, creation, was_provisional = r.access, creation_key(r), is_provisional(r)
    if accessed then r.access = math.max(r.access, clamped(accessed)) end
    if acted then r.activity = math.max(r.activity, clamped(acted)) end
    r.requests = r.requests + visits
    r.confirmed = r.confirmed or confirms
    r.entries = r.entries + entries
    call('HSET', r.key, 't', parts_of(r))
    if r.access ~= was_access then
      call('ZADD', access_key(r), text_of(r.access), id)
      lengthen(r.access - was_access)
    end
    if was_provisional and not is_provisional(r) then
      -- The idle timeout may be shorter than what was left of the provisional one.
      call('ZADD', base .. 'x', text_of(deadline(r)), id)
      if creation ~= creation_key(r) then
        call('ZREM', creation, id)
        call('ZADD', creation_key(r), text_of(r.created), id)
      end
    end
    for _ = 1, entries do call('LPUSH', base .. 'a:' .. id, arg()) end
    if entries > 0 then call('LTRIM', base .. 'a:' .. id, 0, limit - 1) end
  end
end
if whole and #users > 0 then
  for _, user in ipairs(users) do call('ZADD', base .. 'au', second, user) end
  call('ZREMRANGEBYSCORE', base .. 'au', '-inf', second - SECONDS)
  users = {}
end
return answer('tracked', users)
`;
