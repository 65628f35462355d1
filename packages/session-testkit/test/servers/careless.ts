// A program that starts a server, says where it is, and never stops it.
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPostgres, startRedis } from "../../src/servers/index.ts";

const [, , kind] = process.argv;
const { port } = await (kind === "redis" ? startRedis() : startPostgres());
const [name = "nothing"] = readdirSync(tmpdir());
console.log(JSON.stringify({ port, folder: join(tmpdir(), name) }));
// Ends when its input does: the server does not keep it alive.
process.stdin.resume();
