import { DatabaseSync } from "node:sqlite";
import { countInto, isLongForm } from "@kyb/session-testkit";
import { afterAll, describe, expect, it } from "vitest";
import { sqliteStore } from "../src/index.ts";
import { Crowd, type Said } from "./support/crowd.ts";
import { TestFolder } from "./support/files.ts";
import { idOf, NO_LIMITS, newSession, patient, queryOf } from "./support/sessions.ts";

const WRITERS = 4;
const KILLS = isLongForm() ? 200 : 10;
const folder = new TestFolder();
afterAll(() => folder.remove());

describe("Several processes on one file", () => {
  it("lose nothing that was acknowledged and bring nothing back, however many of them are killed (F-26)", {
    timeout: 600_000,
  }, async (context) => {
    countInto(context, { suite: "sqlite: processes" });
    const path = await preparedFile();
    const crowd = new Crowd(path);
    context.onTestFinished(async () => {
      await crowd.stop();
    });
    for (let count = 0; count < WRITERS; count++) crowd.add();
    for (let kill = 0; kill < KILLS; kill++) {
      // Not a multiple of what a writer says in a turn: so they are killed at all places.
      await crowd.hear(17);
      await crowd.killOne();
      crowd.add();
    }
    await crowd.hear(50);
    const said = await crowd.stop();
    expect(await wrongsOf(path, said)).toEqual([]);
    countInto(context, { suite: "sqlite: processes", faults: said.kills });
    console.log(
      `sqlite, ${WRITERS} processes: ${said.kills} kills, ${said.created.length} sessions, ${said.counted} increments, ${said.ended.length} ends acknowledged, 0 lost`,
    );
  });

  it("are found out when they work without transactions", { timeout: 600_000 }, async (context) => {
    const path = await preparedFile();
    const crowd = new Crowd(path, "broken");
    context.onTestFinished(async () => {
      await crowd.stop();
    });
    for (let count = 0; count < WRITERS; count++) crowd.add();
    await crowd.hear(600);
    expect(await wrongsOf(path, await crowd.stop())).not.toEqual([]);
  });
});

async function preparedFile(): Promise<string> {
  const path = folder.file();
  const store = sqliteStore({ path });
  await store.create(newSession("shared"), NO_LIMITS, patient);
  await store.close();
  return path;
}

/** What the file says otherwise than the processes did. What a killed one was just doing may be there or not. */
async function wrongsOf(path: string, said: Said): Promise<string[]> {
  const wrongs = [...said.wrong, ...(await damages(path))];
  const store = sqliteStore({ path });
  const shared = await store.find(idOf("shared"), patient);
  const counted = Number(shared?.state.metadata.count ?? 0);
  const between = (what: string, found: number, acknowledged: number): void => {
    if (found >= acknowledged && found <= acknowledged + said.kills) return;
    wrongs.push(`${what}: ${found} found, ${acknowledged} acknowledged`);
  };
  between("increments", counted, said.counted);
  between("requests", shared?.requestCount ?? 0, said.tracked);
  const ended = new Set(said.ended);
  const values = new Set(said.set);
  let endings = 0;
  for (const label of said.created) {
    const record = await store.find(idOf(label), patient);
    if (record === undefined) wrongs.push(`${label} is lost`);
    if (values.has(label) && record?.state.metadata.mine !== label)
      wrongs.push(`${label}: its value is lost`);
    if (record?.endedAt !== undefined) endings += 1;
    else if (ended.has(label)) wrongs.push(`${label} is back`);
  }
  between("ends", endings, said.ended.length);
  const { activeSessions, totalSessions, endedByReason } = await store.metrics(patient);
  between("sessions", totalSessions - 1, said.created.length);
  const { total } = await store.list(queryOf({ userId: "ann" }), patient);
  if (activeSessions !== (total ?? 0) + 1)
    wrongs.push(`${activeSessions} counted, ${total} listed`);
  if (totalSessions - activeSessions !== endedByReason["signed-out"])
    wrongs.push("the totals do not add up");
  await store.close();
  return wrongs;
}

async function damages(path: string): Promise<string[]> {
  const database = new DatabaseSync(path);
  const rows = database.prepare("PRAGMA integrity_check").all() as { integrity_check: string }[];
  database.close();
  return rows.flatMap(({ integrity_check: says }) => (says === "ok" ? [] : [says]));
}
