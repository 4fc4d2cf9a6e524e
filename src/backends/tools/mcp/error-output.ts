import type { Readable } from 'node:stream';
import type { Redact } from './redact.ts';

const LINE_CHARACTERS = 1_000;
/** What a process may say in its life before it is only listened to. */
const MAX_LINES = 1_000;

/** Where a server's own words go. */
export interface McpLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** Puts what a process writes to its error output into the log, line by line, long lines cut, at most a thousand. */
export function logErrorOutput(output: Readable, { log, server, redact }: { log: McpLog; server: string; redact: Redact }): void {
  let rest = '';
  let lines = 0;

  function say(line: string): void {
    if (line.trim() === '' || lines > MAX_LINES) return;
    lines += 1;
    if (lines > MAX_LINES) log.warn({ server }, 'an MCP server writes too much: its further output is not logged');
    else log.info({ server, output: redact(line).slice(0, LINE_CHARACTERS) }, 'an MCP server says');
  }

  output.setEncoding('utf8');
  output.on('data', (piece: string) => {
    const parts = (rest + piece).split(/\r?\n/);
    rest = (parts.pop() ?? '').slice(0, LINE_CHARACTERS);
    for (const part of parts) say(part);
  });
  output.on('end', () => say(rest));
  output.on('error', (err) => log.warn({ server, err }, 'the error output of an MCP server cannot be read'));
}
