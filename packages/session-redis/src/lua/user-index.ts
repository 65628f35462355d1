// Where sessions are spread over shards, a user's index lies in another slot than the user's sessions. What is said of it
// here is each one atomic step in the user's shard:
//   u:<user>   live sessions by creation        ue:<user>  ended ones by creation
//   ur:<user>  reservations `id op` by lease: of sessions that are about to become this user's
//   url        all reservations of the shard, `user id op` by lease, for the sweep
//   uv:<user>  how many revocations of this user began (b) and were carried out (f)

/** Reserves a place in a user's index, before the session's record says whose it is. */
export const RESERVE: string = `
local user, id, op, lease = arg(), arg(), arg(), tonumber(arg())
local till = text_of(now + lease)
call('ZADD', base .. 'ur:' .. user, till, id .. ' ' .. op)
call('ZADD', base .. 'url', till, user .. ' ' .. id .. ' ' .. op)
return answer('reserved', till)
`;

/** The record was written: the reservation becomes a member. Or it was not: it goes. */
export const CONFIRM: string = `
insist()
local user, id, op, created = arg(), arg(), arg(), tonumber(arg())
local held = call('ZREM', base .. 'ur:' .. user, id .. ' ' .. op)
call('ZREM', base .. 'url', user .. ' ' .. id .. ' ' .. op)
-- Whoever ended the session meanwhile took the reservation.
if held == 1 and created then call('ZADD', base .. 'u:' .. user, text_of(created), id) end
return answer(held == 1 and 'confirmed' or 'taken')
`;

/** Takes sessions out of indexes: `ended`, `forgotten`, or `moved` to another user. */
export const UNINDEX: string = `
insist()
while at < #ARGV do
  local id, how, user, created = arg(), arg(), arg(), arg()
  if how == 'forgotten' then call('ZREM', base .. 'ue:' .. user, id)
  else
    call('ZREM', base .. 'u:' .. user, id)
    if how == 'ended' then
      call('ZADD', base .. 'ue:' .. user, created, id)
      for _, held in ipairs(call('ZRANGE', base .. 'ur:' .. user, 0, -1)) do
        if string.sub(held, 1, #id + 1) == id .. ' ' then
          call('ZREM', base .. 'ur:' .. user, held)
          call('ZREM', base .. 'url', user .. ' ' .. held)
        end
      end
    end
  end
end
return answer('done')
`;

/** Everybody who is this user's or about to be. With 'begin' or 'end' a revocation begins or has been carried out. */
export const MEMBERS: string = `
insist()
local user, step = arg(), arg()
local versions = base .. 'uv:' .. user
if step == 'begin' or step == 'end' then
  call('HINCRBY', versions, step == 'begin' and 'b' or 'f', 1)
  call('PEXPIRE', versions, 5000)
end
local began, done = call('HGET', versions, 'b') or '0', call('HGET', versions, 'f') or '0'
local state = began .. ' ' .. done
if step == 'end' or step == 'look' then return answer('members', {}, state, began == done and '1' or '0') end
local ids, seen = call('ZRANGE', base .. 'u:' .. user, 0, -1), {}
for _, id in ipairs(ids) do seen[id] = true end
for _, held in ipairs(call('ZRANGE', base .. 'ur:' .. user, 0, -1)) do
  local id = string.match(held, '^(%S+)')
  if not seen[id] then
    seen[id] = true
    ids[#ids + 1] = id
  end
end
return answer('members', ids, state, began == done and '1' or '0')
`;

/** Sessions of this shard whose index entries wait to follow them. */
export const MOVES: string = `
local most = tonumber(arg())
local moves, cursor = {}, '0'
repeat
  local found = call('HSCAN', base .. 'ux', cursor, 'COUNT', most)
  cursor = found[1]
  for _, text in ipairs(found[2]) do moves[#moves + 1] = text end
until cursor == '0' or #moves >= 2 * most
return answer('moves', moves)
`;

/** Their entries have followed. One that moved on since waits again. */
export const MOVED: string = `
insist()
while at < #ARGV do
  local member, move = arg(), arg()
  if call('HGET', base .. 'ux', member) == move then call('HDEL', base .. 'ux', member) end
end
return answer('done')
`;

/** Reservations whose lease ran out long enough ago that nobody can write their record any more. */
export const EXPIRED: string = `
local rest, most = tonumber(arg()), tonumber(arg())
return answer('expired', call('ZRANGEBYSCORE', base .. 'url', '-inf', text_of(now - rest), 'LIMIT', 0, most))
`;

/** What members of a user's index are, in the shard of their records; those that are due are ended on the way. */
export const PEEK: string = `
insist()
local user = arg()
local rows = {}
while at < #ARGV do
  local id = arg()
  local r, other = live(id)
  if r and r.user == user then
    rows[#rows + 1] = {id, 'live', text_of(r.created), text_of(r.access)}
  elseif not r and other and (other.bad and not other.ended or other.user == user) then
    rows[#rows + 1] = {id, other.bad and not other.ended and 'live' or 'ended', text_of(other.created or 0), '0'}
  else
    rows[#rows + 1] = {id, 'stranger', '0', '0'}
  end
end
return answer('rows', rows)
`;

/** How full this shard is, and who would go first: provisional ones before anonymous ones. */
export const ROOM: string = `
local first = call('ZRANGE', base .. 'lp', 0, 0, 'WITHSCORES')
local second = call('ZRANGE', base .. 'la', 0, 0, 'WITHSCORES')
return answer('room', tostring(live_count()), tostring(call('ZCARD', base .. 'la')), first, second)
`;

/** Ended sessions of this shard, the oldest first, with when they ended. */
export const OLDEST_ENDED: string = `
return answer('ended', call('ZRANGE', base .. 'ee', 0, tonumber(arg()) - 1, 'WITHSCORES'))
`;

/** Forgets ended sessions. */
export const FORGET: string = `
insist()
while at < #ARGV do
  local id = arg()
  if call('ZSCORE', base .. 'ee', id) then forget(id) end
end
return answer('done')
`;

/** Raises the highest number of live sessions seen together. */
export const PEAK: string = `
local active = tonumber(arg())
local key = base .. 'peak'
if active > tonumber(call('HGET', key, 'pk') or 0) then call('HSET', key, 'pk', active, 'pt', text_of(now)) end
return answer('peak', call('HGET', key, 'pk') or '0', call('HGET', key, 'pt') or '0')
`;

/** Lets go of a lock, if it is still ours. */
export const UNLOCK: string = `
local name, token = arg(), arg()
if call('GET', base .. name) == token then call('DEL', base .. name) end
return answer('done')
`;
