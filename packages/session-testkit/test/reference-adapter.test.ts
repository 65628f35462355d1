import { adapterSuite } from "@kyb/session-testkit";
import { ReferenceAdapter } from "./reference-adapter.ts";

adapterSuite("reference", new ReferenceAdapter());
