import type { Profiler } from "node:inspector";

/** A frame with everything that it called, merged by what was called. */
interface Frame {
  readonly name: string;
  readonly owner: string;
  /** Microseconds in it and in what it called. */
  time: number;
  readonly calls: Map<string, Frame>;
}

const WIDTH = 1200;
const ROW = 16;
const HEAD = 44;
/** Narrower frames, in pixels, are left out. */
const NARROWEST = 0.6;
/** Pixels of one character at the font size used here. */
const CHARACTER = 6.2;

/** Whose code it is, by colour: ours stands out. */
const COLOURS: readonly (readonly [owner: RegExp, colour: string, label: string])[] = [
  [/^session-core$/, "#e4572e", "session-core"],
  [/^session-/, "#f3a712", "session adapter"],
  [/^node$|^\(/, "#c9d1d9", "Node and V8"],
  [/^bench/, "#a5c882", "the handler"],
  [/./, "#8ab6d6", "the host"],
];

/**
 * Draws where the time went as a picture: width is time, below a frame stands what it called. Idle time is left out.
 *
 * @param ownerOf says whose code a place is: a package, `node`, or a name in parentheses
 */
export function flameGraph(
  profile: Profiler.Profile,
  title: string,
  ownerOf: (url: string, name: string) => string,
): string {
  const root = mergedFrames(profile, ownerOf);
  const scale = WIDTH / root.time;
  const boxes: string[] = [];
  const depth = draw(root, 0, 0, scale, boxes);
  const height = HEAD + (depth + 1) * ROW + 6;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="monospace" font-size="10">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    `<text x="6" y="16" font-size="13">${escaped(title)}</text>`,
    ...COLOURS.map(
      ([, colour, label], index) =>
        `<rect x="${6 + index * 130}" y="24" width="10" height="10" fill="${colour}"/><text x="${20 + index * 130}" y="33">${label}</text>`,
    ),
    ...boxes,
    "</svg>",
    "",
  ].join("\n");
}

function mergedFrames(
  profile: Profiler.Profile,
  ownerOf: (url: string, name: string) => string,
): Frame {
  const times = new Map<number, number>();
  for (const [index, id] of (profile.samples ?? []).entries()) {
    times.set(id, (times.get(id) ?? 0) + (profile.timeDeltas?.[index] ?? 0));
  }
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const root: Frame = { name: "all", owner: "(root)", time: 0, calls: new Map() };
  const [first] = profile.nodes;
  if (first !== undefined) add(first, root);
  return root;

  function add(node: Profiler.ProfileNode, into: Frame): number {
    let time = times.get(node.id) ?? 0;
    for (const id of node.children ?? []) {
      const child = nodes.get(id);
      if (child === undefined || child.callFrame.functionName === "(idle)") continue;
      const { functionName, url } = child.callFrame;
      const name = functionName || "(anonymous)";
      const owner = ownerOf(url, name);
      const key = `${owner} ${name}`;
      const frame = into.calls.get(key) ?? { name, owner, time: 0, calls: new Map() };
      into.calls.set(key, frame);
      time += add(child, frame);
    }
    into.time += time;
    return time;
  }
}

/** Answers how many rows deep it went. */
function draw(frame: Frame, x: number, row: number, scale: number, boxes: string[]): number {
  const width = frame.time * scale;
  if (width < NARROWEST) return row - 1;
  const y = HEAD + row * ROW;
  const colour = COLOURS.find(([owner]) => owner.test(frame.owner))?.[1] ?? "";
  const fits = Math.floor((width - 4) / CHARACTER);
  const label = frame.name.length <= fits ? frame.name : frame.name.slice(0, Math.max(0, fits - 1));
  const share = ((width / WIDTH) * 100).toFixed(1);
  boxes.push(
    `<g><title>${escaped(frame.name)}, ${escaped(frame.owner)}: ${share} %</title>` +
      `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${ROW - 1}" fill="${colour}"/>` +
      (label.length < 2
        ? ""
        : `<text x="${(x + 2).toFixed(1)}" y="${y + 11}">${escaped(label)}</text>`) +
      "</g>",
  );
  let deepest = row;
  let left = x;
  const calls = [...frame.calls.values()].toSorted((one, other) => other.time - one.time);
  for (const call of calls) {
    deepest = Math.max(deepest, draw(call, left, row + 1, scale, boxes));
    left += call.time * scale;
  }
  return deepest;
}

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}
