import { describeMinimalProgram } from "../../demo/test/minimal-program.ts";

describeMinimalProgram("hono", new URL("..", import.meta.url));
