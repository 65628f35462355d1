/** Applies one change to a live session: the rule of `applyCommit`, beside which it is tested. */
export const COMMIT: string = `
local MAX_RETIRED, REMEMBERED = 4, 4
local id, op, epoch, presented, version = arg(), arg(), tonumber(arg()), arg(), tonumber(arg())
local max_bytes, kind, hash, user = tonumber(arg()), arg(), arg(), arg()
local idle, absolute, user_max, policy, nonce = tonumber(arg()), tonumber(arg()), tonumber(arg()), arg(), arg()
local kept, keeps = {}, tonumber(arg())
for _ = 1, keeps do kept[arg()] = true end
local signs_in = kind == 'sign-in'
local drops = signs_in and keeps >= 0

local r, other = live(id)
if not r then
  if other and other.bad and not other.ended then return answer('unreadable', record(id)) end
  return answer('gone')
end
local got = call('HMGET', r.key, 'k', 'o')
local s = {}
for word in string.gmatch(got[1] or '', '%S+') do s[#s + 1] = word end
local secret = {hash = s[1], epoch = tonumber(s[2]), version = tonumber(s[3]), issued = s[4], signed = s[5],
  bytes = tonumber(s[6]), pending = s[7], nonce = s[8], offered = s[9]}
if not (secret.epoch and secret.version and secret.bytes and secret.offered) then
  return answer('unreadable', record(id))
end
local ops = {}
for word in string.gmatch(got[2] or '', '%S+') do
  if word == op then return answer('applied', record(id), r.user, text_of(r.created), r.user) end
  ops[#ops + 1] = word
end

if epoch ~= secret.epoch then return answer('superseded') end
if presented ~= '-' then
  local held = secret.hash
  if kind == 'promote' then held = secret.pending end
  if held ~= presented then return answer('superseded') end
end
if version and version ~= secret.version then return answer('conflict', record(id)) end

-- The data: a field is 'm' and the key as JSON, its value is JSON. So their lengths are what the data weighs.
local function weight(field, value) return value and #field - 1 + #value + 2 or 0 end
local staged, bytes = {}, secret.bytes
local function value_of(field)
  local value = staged[field]
  if value ~= nil then return value end
  if drops and not kept[field] then return false end
  return call('HGET', r.key, field)
end
if drops then
  bytes = 0
  for field in pairs(kept) do bytes = bytes + weight(field, call('HGET', r.key, field)) end
end
local changes = tonumber(arg())
for _ = 1, changes do
  local what, field, given = arg(), arg(), arg()
  local old = value_of(field)
  if what == 'delete' then
    staged[field] = false
  elseif what == 'set' then
    staged[field] = given
  else
    -- What is absent or null counts as 0; what is no number makes a sum that is none.
    local number = (not old or old == 'null') and 0 or string.find(old, '^%-?%d') and tonumber(old) or 0/0
    local sum = number + tonumber(given)
    if sum ~= sum or sum == math.huge or sum == -math.huge then return answer('refused', 'number', field) end
    staged[field] = text_of(sum)
  end
  bytes = bytes + weight(field, staged[field]) - weight(field, old)
end
if bytes > max_bytes and bytes > secret.bytes then return answer('refused', 'metadata', text_of(bytes)) end

if string.find(flags, 'c', 1, true) then return answer('fits') end
local victims = {}
if signs_in and whole then victims = over_limit(user, user_max, policy, id) end
if not victims then return answer('refused', 'user') end
for _, victim in ipairs(victims) do finish(victim, 'limit') end

local creation, access, was_access, was_user = creation_key(r), access_key(r), r.access, r.user
if drops then
  for _, field in ipairs(call('HKEYS', r.key)) do
    if string.byte(field) == 109 and not kept[field] and staged[field] == nil then call('HDEL', r.key, field) end
  end
end
for field, value in pairs(staged) do
  if value then call('HSET', r.key, field, value) else call('HDEL', r.key, field) end
end

local function replace(new, how)
  local retired = {secret.hash, text_of(now), how}
  -- A successor that was offered and never presented dies with the secret that it was to replace.
  if secret.pending ~= '-' and how ~= 'rotated' then
    for _, word in ipairs({secret.pending, text_of(now), how}) do retired[#retired + 1] = word end
  end
  for i = 10, #s, 3 do
    local old, time, was = s[i], s[i + 1], s[i + 2]
    -- Rotated predecessors lose their grace when the secret changes at once.
    if how ~= 'rotated' and was == 'rotated' then time, was = text_of(now), how end
    for _, word in ipairs({old, time, was}) do retired[#retired + 1] = word end
  end
  s = {'', '', '', '', '', '', '', '', ''}
  for i = 1, math.min(#retired, MAX_RETIRED * 3) do s[9 + i] = retired[i] end
  secret.hash, secret.issued = new, text_of(now)
  secret.pending, secret.nonce, secret.offered = '-', '-', '-'
end

if changes > 0 or signs_in then r.provisional = nil end
if signs_in then
  secret.epoch, secret.signed = secret.epoch + 1, text_of(now)
  r.user, r.idle, r.absolute = user, idle, now + absolute
  r.activity, r.access = math.max(r.activity, now), math.max(r.access, now)
  replace(hash, 'sign-in')
elseif kind == 'regenerate' then
  secret.epoch = secret.epoch + 1
  replace(hash, 'regenerated')
elseif kind == 'offer' and secret.pending == '-' then
  secret.pending, secret.nonce, secret.offered = hash, nonce, text_of(now)
elseif kind == 'promote' and secret.pending ~= '-' then
  replace(secret.pending, 'rotated')
end
s[1], s[2], s[3] = secret.hash, text_of(secret.epoch), text_of(secret.version + 1)
s[4], s[5], s[6] = secret.issued, secret.signed, text_of(bytes)
s[7], s[8], s[9] = secret.pending, secret.nonce, secret.offered
table.insert(ops, 1, op)
call('HSET', r.key, 'k', table.concat(s, ' '), 'o', table.concat(ops, ' ', 1, math.min(#ops, REMEMBERED)))

if changes > 0 or signs_in then
  call('HSET', r.key, 't', parts_of(r))
  call('ZADD', base .. 'x', text_of(deadline(r)), id)
  if creation ~= creation_key(r) then
    call('ZREM', creation, id)
    call('ZADD', creation_key(r), text_of(r.created), id)
  end
  if access ~= access_key(r) then call('ZREM', access, id) end
  call('ZADD', access_key(r), text_of(r.access), id)
  lengthen(r.access - was_access)
end
if whole and was_user ~= r.user then
  if was_user ~= '-' then call('ZREM', base .. 'u:' .. was_user, id) end
  call('ZADD', base .. 'u:' .. r.user, text_of(r.created), id)
end
if not whole and was_user ~= r.user and was_user ~= '-' then follow(id, was_user, 'moved', 0) end
if signs_in then publish('signed-in', r)
elseif kind ~= '-' and kind ~= 'offer' then publish('regenerated', r) end
return answer('applied', record(id), was_user, text_of(r.created), r.user)
`;
