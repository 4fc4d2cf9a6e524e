import { InvalidArgumentError, Option } from 'commander';
import { parseDuration } from './duration.ts';

/** The option `--expires`, whose value is in seconds. */
export function durationOption(description: string): Option {
  return new Option('--expires <duration>', description).argParser(readDuration);
}

function readDuration(text: string): number {
  const seconds = parseDuration(text);
  if (seconds === null) throw new InvalidArgumentError('Write a number and s, m, h or d, at most a year.');
  return seconds;
}

/** The entries of a list with commas; collects them when the option is repeated. */
export function readList(text: string, before: readonly string[] = []): readonly string[] {
  const entries = text.split(',').map((entry) => entry.trim());
  if (entries.includes('')) throw new InvalidArgumentError('Write names with commas between them.');
  return [...before, ...entries];
}

/** Values of environment variables, for secrets that no command line should hold; collects them when the option is repeated. */
export function readSecret(name: string, before: readonly string[] = []): readonly string[] {
  const value = process.env[name];
  if (value === undefined || value === '') throw new InvalidArgumentError('There is no such environment variable.');
  return [...before, value];
}
