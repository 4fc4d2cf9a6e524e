import { type Circumstance, circumstances } from '../../src/http/docs/circumstances.ts';
import type { DescribedOperation, RequestChange } from './api-description.ts';
import type { Arranged } from './arrangements.ts';

/** An error example of a description. */
export interface Refusal {
  readonly name: string;
  readonly status: number;
  readonly mediaType: string;
  readonly body: unknown;
  readonly given: Circumstance | null;
  /** Null: nothing says how to get it. */
  readonly change: RequestChange | null;
}

const byWords = new Map(Object.entries(circumstances).map(([name, words]) => [words as string, name as Circumstance]));

/** The documented errors of an operation. */
export function refusalsOf({ responses }: DescribedOperation): readonly Refusal[] {
  return Object.entries(responses).flatMap(([status, { content }]) =>
    Object.entries(content).flatMap(([mediaType, { examples = {} }]) =>
      Object.entries(examples).map(([name, { value: body, 'x-request': change = null, 'x-given': given = '' }]) => {
        return { name, status: Number(status), mediaType, body, given: byWords.get(given) ?? null, change };
      }),
    ),
  );
}

/** The failure's code: its name without the number that tells several examples apart. */
export function codeOf({ name }: Refusal): string {
  return name.replace(/-\d+$/, '');
}

/** Puts what was arranged in the place of `{names}`. */
export function filled<T>(value: T, values: Arranged['values']): T {
  const fill = (_key: string, item: unknown) =>
    typeof item === 'string' ? Object.entries(values).reduce((text, [name, own]) => text.replace(`{${name}}`, own), item) : item;
  const whole = JSON.parse(JSON.stringify(value, fill));
  // A session's number is a number.
  if (whole?.body?.session_id === values.session_id && values.session_id) whole.body.session_id = Number(values.session_id);
  return whole;
}
