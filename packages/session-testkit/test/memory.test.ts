import { memoryStore } from "@kyb/session-core";
import { storeSuite } from "@kyb/session-testkit";

storeSuite("memory", { open: () => ({ store: memoryStore() }) });
