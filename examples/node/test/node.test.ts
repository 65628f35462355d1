import { describeMinimalProgram } from "../../demo/test/minimal-program.ts";

describeMinimalProgram("node", new URL("..", import.meta.url));
