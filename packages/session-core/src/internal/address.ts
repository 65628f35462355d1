/** `[`, eight groups with a dotted tail, `%` and a zone, `]`, `:` and a port: longer is no address. */
const MAX_ADDRESS_TEXT = 80;

/** A port or a zone after an address, and what may stand in them. */
const PORT = /^:\d{1,5}$/;
const ZONE = /^%[\w.~-]+$/;

/** What an IPv6 address is written with; nothing else gets into a URL. Bun's parser takes a single colon at the end. */
const IPV6 = /^[\da-f:.]*(?:[\da-f]|::)$/i;
const MAPPED = /^::ffff:([\da-f]+):([\da-f]+)$/;

/** A block of addresses: all that share their first `bits` bits with `network`: a number for IPv4, eight groups for IPv6. */
export interface AddressRange {
  readonly network: number | readonly number[];
  readonly bits: number;
}

/**
 * The one way in which an address is written here, or `""` for what is none: IPv4 in four decimal parts,
 * IPv6 as RFC 5952 has it, IPv4-mapped IPv6 as IPv4; without brackets, port and zone. Parts with leading zeros,
 * hexadecimal or fewer than four parts are no IPv4 address: parsers disagree about what they mean.
 */
export function canonicalAddress(text: string): string {
  if (text.length > MAX_ADDRESS_TEXT) return "";
  if (parseIPv4(text) !== -1) return text;
  if (text.startsWith("::ffff:")) {
    // What a socket of both families reports for an IPv4 peer: usual, hence early and cheap.
    const mapped = text.slice(7);
    if (parseIPv4(mapped) !== -1) return mapped;
  }
  if (text.startsWith("[")) {
    const close = text.indexOf("]");
    const after = text.slice(close + 1);
    if (close === -1 || (after !== "" && !PORT.test(after))) return "";
    return canonicalIPv6(withoutZone(text.slice(1, close)));
  }
  const colon = text.indexOf(":");
  if (colon === -1) return "";
  if (colon === text.lastIndexOf(":")) {
    const address = text.slice(0, colon);
    return PORT.test(text.slice(colon)) && parseIPv4(address) !== -1 ? address : "";
  }
  return canonicalIPv6(withoutZone(text));
}

/**
 * Reads an address or a CIDR range such as `10.0.0.0/8`, or answers undefined. `/0` is none: it would be
 * everybody. A range of IPv4-mapped addresses means the IPv4 addresses.
 */
export function parseRange(text: string): AddressRange | undefined {
  const slash = text.lastIndexOf("/");
  const written = slash === -1 ? text : text.slice(0, slash);
  const width = written.includes(":") ? 128 : 32;
  const address = width === 128 ? canonicalIPv6(written) : written;
  const value = parseIPv4(address);
  // A zone names an interface of this machine, not a part of the network.
  if (value === -1 && (!address.includes(":") || written.includes("%"))) return undefined;

  const suffix = slash === -1 ? String(width) : text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(suffix) || Number(suffix) > width) return undefined;
  // The first 96 bits of a mapped address say no more than that it is one.
  const bits = value === -1 ? Number(suffix) : Number(suffix) - (width - 32);
  if (bits <= 0) return undefined;
  return { network: value === -1 ? groupsOf(address) : value, bits };
}

/** Whether an address in canonical form lies in one of the ranges; `""` lies in none. */
export function isInRanges(address: string, ranges: readonly AddressRange[]): boolean {
  if (address === "") return false;
  const value = parseIPv4(address);
  const groups = value === -1 ? groupsOf(address) : undefined;
  return ranges.some(({ network, bits }) => {
    if (typeof network !== "number") return groups !== undefined && isSame(groups, network, bits);
    const size = 2 ** (32 - bits);
    return value !== -1 && Math.floor(value / size) === Math.floor(network / size);
  });
}

/** The address as a number, or -1 for anything but four decimal parts without leading zeros. */
function parseIPv4(text: string): number {
  let value = 0;
  let part = 0;
  let digits = 0;
  let parts = 1;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code >= 48 && code <= 57) {
      if (digits > 0 && part === 0) return -1;
      part = part * 10 + code - 48;
      digits++;
      if (part > 255) return -1;
    } else if (code === 46 && digits > 0 && parts < 4) {
      value = value * 256 + part;
      part = 0;
      digits = 0;
      parts++;
    } else return -1;
  }
  return parts === 4 && digits > 0 ? value * 256 + part : -1;
}

/**
 * The platform's own parser writes addresses as RFC 5952 has it (URL standard, "IPv6 serializer"): 1.0 µs, where
 * `ipaddr.js` took 3.5 and 4 kB of the bundle.
 */
function canonicalIPv6(text: string): string {
  if (!IPV6.test(text)) return "";
  let address: string;
  try {
    address = new URL(`http://[${text}]`).hostname.slice(1, -1);
  } catch {
    // The parser's way of saying that it is no address; to ask `canParse` first would parse twice.
    return "";
  }
  const mapped = MAPPED.exec(address);
  if (mapped === null) return address;
  const [high, low] = [hex(mapped[1]), hex(mapped[2])];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/** The eight groups of an IPv6 address in canonical form. */
function groupsOf(address: string): readonly number[] {
  const [head, tail] = address.split("::");
  const left = split(head);
  const right = split(tail);
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  return [...left, ...zeros, ...right];
}

function split(text = ""): number[] {
  return text === "" ? [] : text.split(":").map(hex);
}

function hex(text = ""): number {
  return Number.parseInt(text, 16);
}

/** Whether the first bits of two addresses are the same. */
function isSame(left: readonly number[], right: readonly number[], bits: number): boolean {
  return left.every((group, index) => {
    const rest = Math.min(Math.max(16 - (bits - 16 * index), 0), 16);
    return group >> rest === (right[index] ?? 0) >> rest;
  });
}

function withoutZone(text: string): string {
  const percent = text.indexOf("%");
  if (percent === -1) return text;
  return ZONE.test(text.slice(percent)) ? text.slice(0, percent) : "";
}
