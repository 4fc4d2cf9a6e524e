import { closeSync, fdatasyncSync, openSync, readSync, writeSync } from 'node:fs';
import { clearUnusedSpace } from './unused-space.ts';

const PAGES_PER_STEP = 1024;

/**
 * Removes copies of rows that SQLite leaves in the unused space of pages when it moves rows between them: `secure_delete` clears what a
 * deletion frees, not what a move leaves behind.
 */
export interface Scrubber {
  /**
   * Clears the unused space of some pages from `page` (0 is the first) and gives the page to go on with, or null behind the last. The
   * write-ahead log must be empty and no page cached, else SQLite would bring back what is cleared here.
   */
  step(page: number): number | null;
  /** Only after the database is closed: closing any handle of a file gives up every lock that this process has on it. */
  close(): void;
}

/** A scrubber of a data file that this process has locked. */
export function scrubberOf(file: string, pageSize: number): Scrubber {
  const handle = openSync(file, 'r+');
  const pages = Buffer.alloc(PAGES_PER_STEP * pageSize);
  return {
    step: (first) => {
      const read = readSync(handle, pages, 0, pages.length, first * pageSize);
      const count = Math.floor(read / pageSize);
      let cleared = false;
      for (let index = 0; index < count; index += 1) {
        const page = pages.subarray(index * pageSize, (index + 1) * pageSize);
        if (!clearUnusedSpace(page, first + index === 0)) continue;
        writeSync(handle, page, 0, pageSize, (first + index) * pageSize);
        cleared = true;
      }
      if (cleared) fdatasyncSync(handle);
      return count < PAGES_PER_STEP ? null : first + count;
    },
    close: () => closeSync(handle),
  };
}
