/** This package's version, as in its package.json; `pnpm run version` keeps the two alike, and a test watches. */
export const VERSION: string = "0.0.0";
