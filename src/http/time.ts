const TIME = /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?([Zz]|[+-]\d{2}:?\d{2})?)?$/;

/** Milliseconds since 1970 as RFC 3339 in UTC. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString();
}

/** Reads an RFC 3339 time; without a zone it is UTC, a date alone is its start. Null for anything else and for days that do not exist. */
export function parseTime(text: string): number | null {
  const match = TIME.exec(text);
  if (!match) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const fraction = Number(`0.${match[7] ?? '0'}`);
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  const exists = year >= 1 && midnight.getUTCMonth() === month - 1 && midnight.getUTCDate() === day;
  const zone = zoneMinutes(match[8]);
  if (!exists || hour > 23 || minute > 59 || second > 59 || zone === null) return null;
  return midnight.getTime() + ((hour * 60 + minute - zone) * 60 + second) * 1000 + Math.floor(fraction * 1000);
}

function zoneMinutes(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z' || zone === 'z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(-2));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
