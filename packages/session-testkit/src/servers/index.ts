export { missingServer, type ServerKind } from "./missing-server.ts";
export { type PostgresOptions, type PostgresServer, startPostgres } from "./postgres.ts";
export { type RedisOptions, type RedisServer, startRedis } from "./redis.ts";
export {
  type RedisCluster,
  type RedisClusterNode,
  type RedisClusterOptions,
  startRedisCluster,
} from "./redis-cluster.ts";
export type { RedisNode, RedisRestart } from "./redis-node.ts";
export {
  type RedisSentinel,
  type RedisSentinelOptions,
  startRedisSentinel,
} from "./redis-sentinel.ts";
export { RespError, type RespReply } from "./resp.ts";
