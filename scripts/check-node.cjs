// Runs before anything else, so it must parse on any Node.
const [major, minor] = process.versions.node.split(".").map(Number);
const fine = (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major > 24;
if (!fine) {
  console.error(
    `This repository's tools need Node 22.18 or newer, or 24.11 or newer; this is Node ${process.versions.node}.`,
  );
  process.exit(1);
}
