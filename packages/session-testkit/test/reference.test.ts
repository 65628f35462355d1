import { storeSuite } from "../src/index.ts";
import { ReferenceStore } from "./reference-store.ts";

storeSuite("reference", { open: () => ({ store: new ReferenceStore() }) });
