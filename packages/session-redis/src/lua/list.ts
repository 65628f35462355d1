/**
 * One page of a list, as far as one shard knows it: rows of id, time and (where asked for) record, in order. The cost
 * grows with the rows and what is skipped; a search looks at a bounded number of sessions and says where it stopped.
 */
export const LIST: string = `
local PIECE, MOST_DUE = 100, 100
local user, status, search_id, search = arg(), arg(), arg(), arg()
local by, descending, want, skip = arg(), arg() == 'descending', tonumber(arg()), tonumber(arg())
local from_time, from_id, full, patience = tonumber(arg()), arg(), arg() == '1', tonumber(arg())
if status ~= 'active' and whole then forget_ended(PIECE) end
local settling = call('SCARD', base .. 'sg') > 0
local due, lost = {}, {}

local function is_match(r)
  if search == '-' then return true end
  if r.ip == search then return true end
  return r.user ~= '-' and string.sub(r.user, 1, #search) == search
end

-- Whether a session belongs on the page. Its score in the expiry index says mostly without a look at its record.
local index_only = string.find(flags, 'i', 1, true) ~= nil
local function accepted(id, is_ended, score)
  if index_only then return true end
  if is_ended then
    if not score or now - score >= retention then return false end
    if search == '-' then return true end
    local r = load(id)
    return r ~= nil and not r.bad and is_match(r)
  end
  if score and score > now and not settling and search == '-' then return true end
  local r = load(id)
  if not r then
    lost[#lost + 1] = id
    return false
  end
  if r.bad or r.ended or not is_match(r) then return false end
  if user ~= '' and r.user ~= user then return false end
  if stage(r) == 'live' then return true end
  if #due < MOST_DUE then due[#due + 1] = r end
  return status == 'all'
end

local function comes_before(a, b)
  if a[2] ~= b[2] then
    if descending then return a[2] > b[2] end
    return a[2] < b[2]
  end
  if descending then return precedes(b[1], a[1]) end
  return precedes(a[1], b[1])
end
local start = from_time and {from_id, from_time}

-- How many members of an index lie before the place where the page begins.
local function passed(key)
  if not start then return 0 end
  local time = text_of(from_time)
  local low, high
  if descending then
    low = call('ZCOUNT', key, '(' .. time, '+inf')
    high = low + call('ZCOUNT', key, time, time)
  else
    low = call('ZCOUNT', key, '-inf', '(' .. time)
    high = low + call('ZCOUNT', key, time, time)
  end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local id = call(descending and 'ZREVRANGE' or 'ZRANGE', key, middle, middle)[1]
    if comes_before(start, {id, from_time}) then high = middle else low = middle + 1 end
  end
  return low
end

local function walk(key, is_ended)
  return {key = key, ended = is_ended, rank = passed(key), rows = {}, next = 1}
end

local function head(walker)
  if walker.next > #walker.rows then
    if walker.done then return nil end
    local last = walker.rank + PIECE - 1
    local found = call(descending and 'ZREVRANGE' or 'ZRANGE', walker.key, walker.rank, last, 'WITHSCORES')
    walker.rank, walker.rows, walker.next = last + 1, {}, 1
    walker.done = #found < 2 * PIECE
    if #found == 0 then return nil end
    local ids = {}
    for i = 1, #found, 2 do ids[#ids + 1] = found[i] end
    local scores = call('ZMSCORE', base .. (walker.ended and 'ee' or 'x'), unpack(ids))
    for i, id in ipairs(ids) do
      walker.rows[i] = {id, tonumber(found[2 * i]), walker.ended, tonumber(scores[i] or nil)}
    end
  end
  return walker.rows[walker.next]
end

local walkers = {}
local function add(key, is_ended) walkers[#walkers + 1] = walk(base .. key, is_ended) end
if search_id ~= '-' and call('EXISTS', base .. 's:' .. search_id) == 1 then
  search = '-'
  local r = load(search_id)
  local row = {search_id, 0, r.ended and true or false, tonumber(string.match(r.ended or '', '^(%S+)'))}
  local shown = status == 'all' or (status == 'ended') == row[3]
  if not r.bad and shown and (user == '' or r.user == user) then
    row[2] = by == 'createdAt' and r.created or r.access
    if not start or comes_before(start, row) then walkers[1] = {rows = {row}, next = 1, done = true} end
  end
elseif user ~= '' and by == 'lastAccessTime' then
  -- One user's sessions are put in order here: to keep them so would cost every request a write.
  local rows = {}
  local function gather(index, order, ended)
    local ids = call('ZRANGE', base .. index .. user, 0, -1)
    for from = 1, #ids, 1000 do
      local to = math.min(from + 999, #ids)
      local times = call('ZMSCORE', base .. order, unpack(ids, from, to))
      local scores = call('ZMSCORE', base .. (ended and 'ee' or 'x'), unpack(ids, from, to))
      for i = from, to do
        local row = {ids[i], tonumber(times[i - from + 1] or nil) or 0, ended, tonumber(scores[i - from + 1] or nil)}
        if not start or comes_before(start, row) then rows[#rows + 1] = row end
      end
    end
  end
  if status ~= 'ended' then gather('u:', 'ls', false) end
  if status ~= 'active' then gather('ue:', 'ea', true) end
  table.sort(rows, comes_before)
  walkers[1] = {rows = rows, next = 1, done = true}
elseif user ~= '' then
  if status ~= 'ended' then add('u:' .. user, false) end
  if status ~= 'active' then add('ue:' .. user, true) end
else
  local created = by == 'createdAt'
  if status ~= 'ended' then
    add(created and 'lp' or 'la', false)
    add(created and 'lc' or 'ls', false)
  end
  if status ~= 'active' then add(created and 'ec' or 'ea', true) end
end

local rows, last, misses, broken = {}, nil, 0, false
while #rows < want do
  local first, from
  for _, walker in ipairs(walkers) do
    local row = head(walker)
    if row and (not first or comes_before(row, first)) then first, from = row, walker end
  end
  if not first then break end
  from.next = from.next + 1
  last = first
  if accepted(first[1], first[3], first[4]) then
    if skip > 0 then skip = skip - 1 else rows[#rows + 1] = first end
  else
    misses = misses + 1
    if misses >= patience then
      broken = true
      break
    end
  end
end
for _, r in ipairs(due) do
  if not r.ended then finish_if_due(r) end
end
for _, id in ipairs(lost) do
  vanished(id)
  if user ~= '' then call('ZREM', base .. 'u:' .. user, id) end
end

local page = {}
for _, row in ipairs(rows) do
  local fields = full and record(row[1]) or {}
  if full and #fields == 0 and not row[3] and call('EXISTS', base .. 's:' .. row[1]) == 0 then
    vanished(row[1])
    if user ~= '' then call('ZREM', base .. 'u:' .. user, row[1]) end
  end
  page[#page + 1] = {row[1], text_of(row[2]), fields}
end
local total = 0
if status ~= 'ended' then total = total + (user == '' and live_count() or call('ZCARD', base .. 'u:' .. user)) end
if status ~= 'active' then total = total + call('ZCARD', base .. (user == '' and 'ee' or 'ue:' .. user)) end
local stop = broken and last and {last[1], text_of(last[2])} or {}
return answer('page', page, tostring(total), stop, tostring(skip))
`;
