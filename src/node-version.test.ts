import { expect, test } from 'vitest';
import { refuseOldNode } from './node-version.ts';

test.each(['18.19.1', '20.20.2', '22.0.0', '22.12.9'])('Node %s is refused with what to do', (version) => {
  expect(refuseOldNode(version)).toBe(
    `Polylogue needs Node.js 22.16 or newer and this is ${version}: install Node.js 24 from https://nodejs.org and start again.`,
  );
});

test.each(['22.16.0', '22.20.1', '24.21.0', '26.0.0-nightly'])('Node %s is accepted', (version) => {
  expect(refuseOldNode(version)).toBeNull();
});
