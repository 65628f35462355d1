/** One page of a timeline, newest first. */
export const ACTIVITY: string = `
local id, begin, before, offset, limit = arg(), tonumber(arg()), tonumber(arg()), tonumber(arg()), tonumber(arg())
local r = load(id)
if not r then return answer('unknown') end
if r.bad then return answer('unreadable', record(id)) end
local ended = string.match(r.ended or '', '^(%S+)')
if ended and now - tonumber(ended) >= retention then return answer('unknown') end
local log = base .. 'a:' .. id
if begin then
  local oldest = call('LINDEX', log, -1)
  while oldest and (tonumber(string.match(oldest, '^%[([^,]+)')) or 0) <= begin do
    call('RPOP', log)
    oldest = call('LINDEX', log, -1)
  end
end
local total = call('LLEN', log)
-- The newest entry has the number entries - 1, and each older one a number less by one.
local first = math.max(before and r.entries - before or 0, 0) + offset
local rows = first < total and limit > 0 and call('LRANGE', log, first, first + limit - 1) or {}
local next = '-'
if #rows > 0 and first + #rows < total then next = text_of(r.entries - first - #rows) end
return answer('page', rows, tostring(total), next)
`;
