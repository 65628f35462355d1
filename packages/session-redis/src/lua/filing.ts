/** Files a session that is new here: for `create` and `import`. */
export const FILING: string = `
local function file(r, was_here)
  call('ZADD', creation_key(r), text_of(r.created), r.id)
  call('ZADD', access_key(r), text_of(r.access), r.id)
  call('ZADD', base .. 'x', text_of(deadline(r)), r.id)
  if whole and r.user ~= '-' then call('ZADD', base .. 'u:' .. r.user, text_of(r.created), r.id) end
  lengthen(r.access - r.created)
  if not counted or was_here then return end
  count('ts', 1)
  local active = live_count()
  if active <= tonumber(call('HGET', base .. 'h', 'pk') or 0) then return end
  call('HSET', base .. 'h', 'pk', active, 'pt', text_of(now))
end
`;
