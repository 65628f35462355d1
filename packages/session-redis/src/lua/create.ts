/** Makes a session. See `SessionStore.create`. */
export const CREATE: string = `
local id, hash, constants = arg(), arg(), arg()
local r = {id = id, key = base .. 's:' .. id, access = now, activity = now, requests = 0, confirmed = false, created = now}
r.idle, r.absolute = tonumber(arg()), now + tonumber(arg())
local provisional = tonumber(arg())
r.provisional = provisional and now + provisional
r.user, r.ip, r.entries = arg(), arg(), 0
local bytes, max, user_max, policy = arg(), tonumber(arg()), tonumber(arg()), arg()

if call('EXISTS', r.key) == 1 then
  local old = load(id)
  local secret = redis.pcall('HGET', r.key, 'k')
  local same = type(secret) == 'string' and string.find(secret, hash .. ' 0 0 ', 1, true) == 1
  if same and not old.bad and not old.ended and stage(old) == 'live' then return answer('created', record(id)) end
  return answer('exists')
end
if string.find(flags, 'c', 1, true) then return answer('fits') end
local victims = not whole and {} or r.user == '-' and {} or over_limit(r.user, user_max, policy, nil)
if not victims then return answer('refused', 'user') end
if not make_room(max, #victims) then return answer('refused', 'sessions') end
for _, victim in ipairs(victims) do finish(victim, 'limit') end

local issued = text_of(now)
local secrets = table.concat({hash, '0', '0', issued, r.user == '-' and '-' or issued, bytes, '-', '-', '-'}, ' ')
call('HSET', r.key, 'c', constants, 'k', secrets, 't', parts_of(r))
while at < #ARGV do call('HSET', r.key, arg(), arg()) end
file(r)
if counted then
  local hour = math.floor(now / 3600000)
  local slot = 'h' .. text_of(hour % 24)
  local held, started = string.match(call('HGET', base .. 'h', slot) or '', '^(%d+) (%d+)$')
  started = tonumber(held) == hour and started + 1 or 1
  call('HSET', base .. 'h', slot, text_of(hour) .. ' ' .. text_of(started))
end
publish('created', r)
return answer('created', record(id))
`;
