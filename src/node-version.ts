const OLDEST = { major: 22, minor: 16 };

/** Null when this Node.js can run the server (it needs `node:sqlite` with `isTransaction`), else a sentence that says what to do. */
export function refuseOldNode(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return null;
  return `Polylogue needs Node.js ${OLDEST.major}.${OLDEST.minor} or newer and this is ${version}: install Node.js 24 from https://nodejs.org and start again.`;
}
