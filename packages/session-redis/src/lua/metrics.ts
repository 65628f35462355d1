/** What one shard counted. */
export const METRICS: string = `
local second = math.floor(now / 1000)
return answer('metrics', call('HGETALL', base .. 'h'), call('HGETALL', base .. 'ep'), {
  tostring(call('ZCARD', base .. 'la')), tostring(call('ZCARD', base .. 'ls')), tostring(call('ZCARD', base .. 'lp')),
  tostring(call('ZCOUNT', base .. 'au', '(' .. (second - 300), '+inf'))})
`;
