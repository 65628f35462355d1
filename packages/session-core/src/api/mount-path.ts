import { pathOf } from "../internal/path.ts";

/**
 * The path below the management API's base path, `"/"` for the collection; undefined: not the API's.
 *
 * It matches where the full path starts with `basePath`, or the path after the mount point does, or the mount point
 * itself ends with it. `mountPath` is what the host's router has consumed of the path.
 *
 * Segments are decoded once, after the path was split: `/v1/sess%69ons` is the API's, and an encoded slash is part of
 * a name and no separator, so that every host and every rule of a proxy in front see the same path.
 */
export function pathBelow(url: string, basePath: string, mountPath: string): string | undefined {
  const path = segments(pathOf(url));
  const base = segments(basePath);
  const mount = segments(mountPath.replace(/\/$/, ""));
  const consumed = startsWith(path, mount) ? mount.length : 0;
  for (const start of [0, consumed, consumed - base.length]) {
    if (start < 0 || !startsWith(path.slice(start), base)) continue;
    return `/${path.slice(start + base.length).join("/")}`;
  }
  return undefined;
}

function segments(path: string): string[] {
  return path.split("/").slice(1).map(decodeOnce);
}

function decodeOnce(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    // No valid encoding, so it stands for itself, and that is no name of ours.
    if (error instanceof URIError) return segment;
    throw error;
  }
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((segment, index) => path[index] === segment);
}
