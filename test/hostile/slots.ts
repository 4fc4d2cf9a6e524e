import { expect } from 'vitest';
import type { RawRequest } from './byte-exchange.ts';
import { exampleBodies, idFields, type Known } from './examples.ts';
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
};

/** A place in a route's requests that takes an id. */
export interface Slot {
  readonly route: Route;
  readonly name: string;
  /** The request with an id of `ids` in the slot and everything else the sender's own. */
  request(ids: Known, sender: Known): RawRequest;
}

function pathSlots(route: Route): Slot[] {
  const names = slotsOf(route);
  const places = [...names.map((name) => [name]), ...(names.length > 1 ? [names] : [])];
  return places.map((place) => ({
    route,
    name: place.join(', '),
    request(ids, sender) {
      const body = JSON.stringify(exampleBodies(route, ids).at(-1) ?? {});
      return {
        method: route.method,
        path: fill(route, { ...sender, ...Object.fromEntries(place.map((name) => [name, ids[name as keyof Known]])) }),
        ...(['POST', 'PUT', 'PATCH'].includes(route.method) && { headers: [JSON_TYPE], body }),
      };
    },
  }));
}

function bodySlots(route: Route): Slot[] {
  return Object.entries(idFields[route.key] ?? {}).map(([field, kind]) => ({
    route,
    name: `body ${field}`,
    request(ids, sender) {
      const example = exampleBodies(route, sender).find((body) => field in body) ?? expect.fail(`no example with ${field}`);
      const id = typeof example[field] === 'number' ? Number(ids[kind]) : ids[kind];
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
  return routes.flatMap((route) => [...pathSlots(route), ...bodySlots(route)]);
}
