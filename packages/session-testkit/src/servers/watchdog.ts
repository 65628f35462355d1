import { type ChildProcess, spawn } from "node:child_process";

/**
 * What a small shell does: it reads which processes there are, and when nothing more is to be read, because `close` was
 * called or because the process that started it is gone, however that died, it ends them and removes the folder.
 * A process that does not end within two seconds is killed. It asks for nothing but a POSIX shell.
 */
const SCRIPT = `
pids=
while read -r change pid; do
  rest=
  for each in $pids; do [ "$each" = "$pid" ] || rest="$rest $each"; done
  pids=$rest
  [ "$change" = add ] && pids="$pids $pid"
done
if [ -n "$pids" ]; then
  kill -s "$1" $pids 2>/dev/null
  kill -s CONT $pids 2>/dev/null
  for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    alive=
    for each in $pids; do kill -0 "$each" 2>/dev/null && alive=1; done
    [ -z "$alive" ] && break
    sleep 0.1
  done
  kill -s KILL $pids 2>/dev/null
fi
rm -rf "$2" || { sleep 0.5; rm -rf "$2"; }
`;

/** Sees to it that no process and no folder outlives this process. */
export class Watchdog {
  readonly #shell: ChildProcess;
  readonly #gone: Promise<void>;

  /** `signal` is what ends the watched processes quickly, without the prefix SIG. */
  constructor(signal: string, folder: string) {
    // Detached: an interrupt from the terminal reaches the tests, not the one who cleans up after them.
    const shell = spawn("/bin/sh", ["-c", SCRIPT, "watchdog", signal, folder], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#gone = new Promise((resolve, reject) => {
      shell.once("exit", () => resolve());
      shell.once("error", reject);
    });
    // Awaited in `close`; without it a missing shell would end the process from here.
    this.#gone.catch(() => undefined);
    // A pipe that nobody reads any more is the shell's end, which `#gone` tells.
    shell.stdin?.on("error", () => undefined);
    shell.unref();
    unrefPipe(shell);
    this.#shell = shell;
  }

  watch(pid: number): void {
    this.#shell.stdin?.write(`add ${pid}\n`);
  }

  forget(pid: number): void {
    this.#shell.stdin?.write(`drop ${pid}\n`);
  }

  /** Ends what is still there and removes the folder; resolves when that is done. */
  async close(): Promise<void> {
    this.#shell.ref();
    this.#shell.stdin?.end();
    await this.#gone;
  }
}

/** The pipe must not keep this process alive; Node types it as a mere stream. */
function unrefPipe({ stdin }: ChildProcess): void {
  const pipe: { unref?: () => void } | null = stdin as { unref?: () => void } | null;
  pipe?.unref?.();
}
