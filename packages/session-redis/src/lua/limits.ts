/** Who has to go so that one more fits: for `create` and `commit`. */
export const LIMITS: string = `
-- Most sessions that one call ends to make room; more of them go with the next one.
local MOST = 500

-- Which live sessions of a user have to end so that self, or a new one, fits; nil: it is refused. Those that are due
-- are ended on the way.
local function over_limit(user, max, policy, self)
  if not max then return {} end
  local index = base .. 'u:' .. user
  if call('ZCARD', index) < max then return {} end
  local others = {}
  for _, id in ipairs(call('ZRANGE', index, 0, -1)) do
    if id ~= self then
      local r = load(id)
      if not r then
        call('ZREM', index, id)
        vanished(id)
      elseif r.ended or r.user ~= user and not r.bad then call('ZREM', index, id)
      elseif r.bad or not finish_if_due(r) then others[#others + 1] = r end
    end
  end
  if #others < max then return {} end
  if policy == 'reject' then return nil end
  if policy == 'evict-least-recent' then
    table.sort(others, function(a, b)
      local left, right = a.access or 0, b.access or 0
      if left ~= right then return left < right end
      return precedes(a.id, b.id)
    end)
  end
  local victims = {}
  for i = 1, #others - max + 1 do victims[i] = others[i] end
  return victims
end

-- Makes room for one session beside the room that leaving ones will make; false: nobody had to go, and it is full.
local function make_room(max, leaving)
  local function missing() return live_count() - leaving + 1 - max end
  if not max or missing() <= 0 then return true end
  for _, id in ipairs(call('ZRANGEBYSCORE', base .. 'x', '-inf', text_of(now), 'LIMIT', 0, MOST)) do
    local r = load(id)
    if not r then vanished(id)
    elseif not r.bad and not r.ended and not finish_if_due(r) then
      call('ZADD', base .. 'x', text_of(deadline(r)), id)
    end
    if missing() <= 0 then return true end
  end
  if missing() > math.min(call('ZCARD', base .. 'la'), MOST) then return false end
  while missing() > 0 do
    local id = call('ZRANGE', base .. 'lp', 0, 0)[1] or call('ZRANGE', base .. 'la', 0, 0)[1]
    if not id then return false end
    local r = load(id)
    if r then finish(r, 'limit') else vanished(id) end
  end
  return true
end
`;
