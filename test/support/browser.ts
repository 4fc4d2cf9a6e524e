import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { missing } from './requirements.ts';

/** Without a sandbox, which root has none of, and without a word to anybody on the internet. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/** The system's Chromium; null (said loudly) without one. */
export function findBrowser(): string | null {
  const directories = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  const found = directories.map((directory) => join(directory, 'chromium')).find(isExecutable);
  if (found === undefined) missing('there is no Chromium (Debian: chromium)');
  return found ?? null;
}

/** Starts it without a window. */
export function openBrowser(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not for us: the same to whoever looks for it.
    return false;
  }
}
