import { type DestinationStream, pino } from 'pino';

/** So long a line may wait for others, in milliseconds. */
const GATHER_MS = 20;
/** So many characters are written at once without waiting. */
const GATHER_CHARACTERS = 8_192;

/**
 * Standard output in few writes: a write to the system for every line would cost a short request a tenth of its work. Nothing is lost but by a
 * killed process, which loses the last 20 milliseconds.
 */
export function createBufferedOutput(): DestinationStream {
  const output = pino.destination({ dest: 1, sync: true, minLength: GATHER_CHARACTERS });
  // No room on the disk where the log goes, say, is no reason to stop serving: its lines are lost, as they are nowhere to be told.
  output.on('error', () => undefined);
  let gathering = false;
  const flush = (): void => {
    gathering = false;
    // The first one bears a reader that has gone, and the second one writes what the first leaves when a line is long.
    output.flush();
    output.flushSync();
  };
  process.on('exit', flush);
  return {
    write(line) {
      output.write(line);
      if (gathering) return;
      gathering = true;
      setTimeout(flush, GATHER_MS);
    },
  };
}
