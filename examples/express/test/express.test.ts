import { describeMinimalProgram } from "../../demo/test/minimal-program.ts";

describeMinimalProgram("express", new URL("..", import.meta.url));
