/** Makes a session exist here as it is elsewhere, also in the place of what an earlier import left. */
export const IMPORT: string = `
local id, over, constants, secrets, parts, fields = arg(), tonumber(arg()), arg(), arg(), arg(), tonumber(arg())
local r = parse(id, parts)
if stage(r) ~= 'live' then return answer('gone') end
local replaced
if call('EXISTS', r.key) == 1 then
  local old = over and load(id)
  if not old or old.bad or old.ended or stage(old) ~= 'live' then return answer('exists') end
  local epoch, version = string.match(call('HGET', r.key, 'k') or '', '^%S+ (%d+) (%d+) ')
  if tonumber(version) ~= over or tonumber(epoch) > tonumber(string.match(secrets, '^%S+ (%d+) ')) then
    return answer('exists')
  end
  replaced = old.user
  call('ZREM', creation_key(old), id)
  call('ZREM', access_key(old), id)
  if whole and replaced ~= '-' then call('ZREM', base .. 'u:' .. replaced, id)
  elseif replaced ~= '-' and replaced ~= r.user then follow(id, replaced, 'moved', 0) end
  lengthen(old.created - old.access)
  call('UNLINK', r.key, base .. 'a:' .. id)
end
call('HSET', r.key, 'c', constants, 'k', secrets, 't', parts)
for _ = 1, fields do call('HSET', r.key, arg(), arg()) end
while at < #ARGV do call('LPUSH', base .. 'a:' .. id, arg()) end
file(r, replaced ~= nil)
return answer('imported')
`;
