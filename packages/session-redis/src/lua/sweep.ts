/**
 * One step of the sweep of one shard: ends what is due, files what was marked as ended, forgets what ended too long
 * ago, and looks at some members of the live indexes for records that vanished. What a step takes nobody else finds.
 */
export const SWEEP: string = `
insist()
local REST = 600000
local most = tonumber(arg())
local ended, more = 0, false
local due = call('ZRANGEBYSCORE', base .. 'x', '-inf', text_of(now), 'LIMIT', 0, most)
for _, id in ipairs(due) do
  local r = load(id)
  if not r then vanished(id)
  elseif r.ended then
    local time, reason = string.match(r.ended, '^(%S+) (%S+)$')
    if reason then
      call('SREM', base .. 'sg', id)
      settle(r, tonumber(time), reason)
    else call('ZREM', base .. 'x', id) end
  elseif r.bad then
    -- Nobody can say when it is due. It is left as it is, and looked at again when somebody may have mended it.
    call('ZADD', base .. 'x', text_of(now + REST), id)
  elseif finish_if_due(r) then ended = ended + 1
  else call('ZADD', base .. 'x', text_of(deadline(r)), id) end
end
if #due == most then more = true end

if #due < most then
  for _, id in ipairs(call('SPOP', base .. 'sg', most - #due)) do
    local r = load(id)
    local time, reason = string.match(r and r.ended or '', '^(%S+) (%S+)$')
    if reason then settle(r, tonumber(time), reason) end
  end
  if call('SCARD', base .. 'sg') > 0 then more = true end
  if forget_ended(most - #due) then more = true end
end
call('ZREMRANGEBYSCORE', base .. 'au', '-inf', math.floor(now / 1000) - 300)

-- A walk over all live sessions, a piece with each step, at most every ten minutes.
if not more then
  local part, cursor = string.match(call('HGET', base .. 'h', 'scan') or '', '^(l[as]) (%d+)$')
  local rested = now - tonumber(call('HGET', base .. 'h', 'scanned') or -REST)
  if part or rested >= REST or rested < 0 then
    part, cursor = part or 'la', cursor or '0'
    local found = call('ZSCAN', base .. part, cursor, 'COUNT', most)
    for i = 1, #found[2], 2 do
      local id = found[2][i]
      if call('EXISTS', base .. 's:' .. id) == 0 then vanished(id)
      elseif not call('ZSCORE', base .. 'x', id) then call('ZADD', base .. 'x', text_of(now), id) end
    end
    more = true
    if found[1] ~= '0' then call('HSET', base .. 'h', 'scan', part .. ' ' .. found[1])
    elseif part == 'la' then call('HSET', base .. 'h', 'scan', 'ls 0')
    else
      call('HDEL', base .. 'h', 'scan')
      call('HSET', base .. 'h', 'scanned', text_of(now))
      more = false
    end
  end
end
return answer(tostring(ended), more and '1' or '0', call('EXISTS', base .. 'ux') == 1 and '1' or '0',
  tostring(call('ZCARD', base .. 'ee')))
`;
