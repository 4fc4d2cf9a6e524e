const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const LONGEST_SECONDS = 366 * 86_400;

/** Seconds in a text such as `90s`, `15m`, `1h` or `30d`; null when it is none or longer than a year. */
export function parseDuration(text: string): number | null {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
  const unit = match?.[2] as keyof typeof SECONDS | undefined;
  if (unit === undefined) return null;
  const seconds = Number(match?.[1]) * SECONDS[unit];
  return seconds <= LONGEST_SECONDS ? seconds : null;
}
