/** Ends one session, or several that a revocation named. */
export const END: string = `
insist()
local id, reason, epoch = arg(), arg(), tonumber(arg())
local r, other = live(id)
if not r then
  if not other or not other.bad or other.ended then return answer('gone') end
  finish(other, reason)
  return answer('ended')
end
if epoch then
  local held = string.match(call('HGET', r.key, 'k') or '', '^%S+ (%d+) ')
  if tonumber(held) ~= epoch then return answer('superseded') end
end
finish(r, reason)
return answer('ended', r.user, text_of(r.created))
`;

/** Ends sessions that were ended before, where the server does not remember it. */
export const END_AGAIN: string = `
insist()
while at < #ARGV do
  local id, reason = arg(), arg()
  local r = live(id)
  if r then finish(r, reason) end
end
return answer('ended')
`;

/** Ends one session if it is due; answers it if it is not. */
export const END_IF_DUE: string = `
insist()
local id = arg()
local r, other = live(id)
if r then return answer('live', record(id)) end
if other and other.bad and not other.ended then return answer('unreadable', record(id)) end
return answer('gone')
`;

/**
 * Ends the sessions of one user in this shard: those named, or where the user's index lies here, all of them.
 *
 * All of them are marked as ended first, which is what every reader looks at, and the first of them are taken
 * out of the indexes; `settle` does the others, so that 10,000 of them are over at one instant and Redis is not held up.
 */
export const END_USER: string = `
insist()
local AT_ONCE = 200
local user, except, reason, given = arg(), arg(), arg(), tonumber(arg())
local ids = {}
local index = base .. 'u:' .. user
if given >= 0 then
  for i = 1, given do ids[i] = arg() end
else
  ids = call('ZRANGE', index, 0, -1)
end
local ended, mark = {}, text_of(now) .. ' ' .. reason
local waiting = {}
for _, id in ipairs(ids) do
  if id ~= except then
    local due = #ended < AT_ONCE and 0 or tonumber(call('ZSCORE', base .. 'x', id) or 0)
    if given < 0 and due > now then
      -- Live without a doubt. Only the mark is set now.
      if call('EXISTS', base .. 's:' .. id) == 1 then
        redis.pcall('HSET', base .. 's:' .. id, 'e', mark)
        ended[#ended + 1] = id
      end
      waiting[#waiting + 1] = id
    else
      local r, other = live(id)
      if r and (r.user == user or user == '-') then
        finish(r, reason)
        ended[#ended + 1] = id
      elseif other and other.bad and not other.ended then
        finish(other, reason)
        call('ZREM', index, id)
        ended[#ended + 1] = id
      elseif not other and not r then
        call('ZREM', index, id)
        vanished(id)
      elseif whole and (r and r.user ~= user) then
        call('ZREM', index, id)
      end
    end
  end
end
for from = 1, #waiting, 1000 do
  local to = math.min(from + 999, #waiting)
  call('SADD', base .. 'sg', unpack(waiting, from, to))
  call('ZREM', index, unpack(waiting, from, to))
end
return answer(#waiting > 0 and 'settling' or 'ended', ended)
`;

/** Files some of the sessions that were marked as ended. Answers whether some are left. */
export const SETTLE: string = `
insist()
local most = tonumber(arg())
local ids = call('SPOP', base .. 'sg', most)
for _, id in ipairs(ids) do
  local r = load(id)
  local time, reason = string.match(r and r.ended or '', '^(%S+) (%S+)$')
  if reason then settle(r, tonumber(time), reason) end
end
if max_ended ~= math.huge then forget_ended(2 * most) end
return answer(call('SCARD', base .. 'sg') > 0 and 'more' or 'done')
`;
