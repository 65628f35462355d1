import { describeMinimalProgram } from "../../demo/test/minimal-program.ts";

describeMinimalProgram("koa", new URL("..", import.meta.url));
