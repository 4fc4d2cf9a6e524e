import { type DestinationStream, pino } from 'pino';

/** So long a line may wait for others, in milliseconds. */
const GATHER_MS = 20;
/** More characters than this are written without waiting. */
const GATHER_CHARACTERS = 8_192;

/**
 * Standard output in few writes: a write to the system for every line would cost a short request a tenth of its work. Nothing is lost but by a
 * killed process, which loses the last 20 milliseconds.
 */
export function createBufferedOutput(): DestinationStream {
  // It gathers nothing itself, because what it lets go of it brings to the disk, and everybody waits meanwhile.
  const output = pino.destination({ dest: 1, sync: true });
  // No room on the disk where the log goes, say, is no reason to stop serving: its lines are lost, as they are nowhere to be told.
  output.on('error', () => undefined);
  let gathered = '';
  let gathering = false;
  const flush = (): void => {
    const lines = gathered;
    gathered = '';
    if (lines !== '') output.write(lines);
  };
  process.on('exit', flush);
  return {
    write(line) {
      gathered += line;
      if (gathered.length > GATHER_CHARACTERS) flush();
      if (gathering) return;
      gathering = true;
      setTimeout(() => {
        gathering = false;
        flush();
      }, GATHER_MS);
    },
  };
}
