import type { Finding } from '../../http/control-wire.ts';

export function ok(subject: string, message: string): Finding {
  return { level: 'ok', subject, message, advice: null };
}

export function warn(subject: string, message: string, advice: string): Finding {
  return { level: 'warn', subject, message, advice };
}

export function fail(subject: string, message: string, advice: string): Finding {
  return { level: 'fail', subject, message, advice };
}
