import { expect } from 'vitest';
import type { RawRequest } from './byte-exchange.ts';
import { type Body, exampleBodies, exampleForm, type Known } from './examples.ts';
import { inputsThat } from './named-inputs.ts';
import { fill, type Route, slotsOf } from './routes.ts';

const JSON_TYPE = ['content-type', 'application/json'] as const;

/** Ids that nobody ever used. */
export const unknown: Known = {
  thread_id: '01900000-0000-7000-8000-00000000dead',
  conversation_id: '01900000-0000-7000-8000-00000000dead',
  run_id: '01900000-0000-7000-8000-00000000dead',
  request_id: '01900000-0000-7000-8000-00000000dead',
  message_id: '01900000-0000-7000-8000-00000000dead',
  user_id: 'nobody',
  session_id: '4611686018427387',
  key_id: '01900000-0000-7000-8000-00000000dead',
  file_id: '01900000-0000-7000-8000-00000000dead',
  prompt_id: '4611686018427387',
  prompt_uuid: '01900000-0000-7000-8000-00000000dead',
  agent_id: '01900000-0000-7000-8000-00000000dead',
  asked_run_id: '01900000-0000-7000-8000-00000000dead',
};

/** A place in a route's requests that takes an id. */
export interface Slot {
  readonly route: Route;
  readonly name: string;
  /** The request with an id of `ids` in the slot and everything else the sender's own. */
  request(ids: Known, sender: Known): RawRequest;
}

function valuesFor(names: readonly string[], ids: Known): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name) => [name, ids[name as keyof Known]]));
}

/** One slot for each parameter of a path and of a query, and one for all of them together. */
function addressSlots(route: Route): Slot[] {
  const inPath = slotsOf(route);
  const inQuery = inputsThat('record', route).filter(([input]) => input.startsWith('query '));
  const names = [...inPath, ...inQuery.map(([input]) => input)];
  const places = [...names.map((name) => [name]), ...(names.length > 1 ? [names] : [])];
  return places.map((place) => ({
    route,
    name: place.join(', '),
    request(ids, sender) {
      const asked = inQuery
        .filter(([input]) => place.includes(input))
        .map(([input, write]): [string, string] => [input.slice('query '.length), write(ids)]);
      // What the query names, the body must not name once more.
      const named = new Set(asked.map(([name]) => name));
      const example = Object.entries(exampleBodies(route, ids).at(-1) ?? {}).filter(([name]) => !named.has(name));
      const path = fill(route, {
        ...sender,
        ...valuesFor(
          place.filter((name) => inPath.includes(name)),
          ids,
        ),
      });
      return {
        method: route.method,
        path: asked.length > 0 ? `${path}?${new URLSearchParams(asked)}` : path,
        ...bodyFor(route, Object.fromEntries(example)),
      };
    },
  }));
}

function bodyFor(route: Route, example: Body): Pick<RawRequest, 'headers' | 'body'> {
  const form = exampleForm(route);
  if (form) return { headers: [['content-type', form.type]], body: form.body };
  const hasBody = ['POST', 'PUT', 'PATCH'].includes(route.method) || Object.keys(example).length > 0;
  return hasBody ? { headers: [JSON_TYPE], body: JSON.stringify(example) } : {};
}

function bodySlots(route: Route): Slot[] {
  const inBody = inputsThat('record', route).filter(([input]) => input.startsWith('body '));
  return inBody.map(([input, write]) => ({
    route,
    name: input,
    request(ids, sender) {
      const field = input.slice('body '.length);
      const example = exampleBodies(route, sender).find((body) => field in body) ?? expect.fail(`no example with ${field}`);
      const id = typeof example[field] === 'number' ? Number(write(ids)) : write(ids);
      return {
        method: route.method,
        path: fill(route, { ...sender }),
        headers: [JSON_TYPE],
        body: JSON.stringify({ ...example, [field]: id }),
      };
    },
  }));
}

/** Every place in these routes that takes an id of a record that must exist. */
export function allSlots(routes: readonly Route[]): readonly Slot[] {
  return routes.flatMap((route) => [...addressSlots(route), ...bodySlots(route)]);
}
