/** Starts to read a web page that takes minutes, in the way a server does, and says so; waits to be killed. */
import { systemClock } from '../../src/backends/clock/system-clock.ts';
import { createExtractor } from '../../src/backends/extractors/create-extractor.ts';

const MINUTES_MS = 600_000;

const file = process.argv[2] ?? '';
const extractor = createExtractor({ clock: systemClock, timeMs: MINUTES_MS });
process.stdout.write('reading\n');
await extractor.extract({ file, type: 'html', signal: new AbortController().signal });
