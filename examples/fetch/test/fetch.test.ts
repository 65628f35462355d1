import { describeVisits } from "../../demo/test/minimal-program.ts";
import server from "../server.ts";

// Bun, Deno and Workers call the handler as this test does.
const origin = (): string => "http://localhost";
describeVisits("fetch", new URL("..", import.meta.url), origin, (request) => server.fetch(request));
