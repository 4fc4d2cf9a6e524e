import { EventEmitter, once } from 'node:events';
import { expect, test } from 'vitest';
import { createFakeClock } from '../../test/support/fake-clock.ts';
import { supervise } from './supervise.ts';

/** A process whose exit ends nothing, and a clock that stands until told. */
function createStage(app: Promise<{ close(): Promise<void> }>) {
  const emitter = new EventEmitter();
  const exits: number[] = [];
  const faults: unknown[][] = [];
  const death = Promise.withResolvers<Error>();
  const clock = createFakeClock(0);
  const exit = (code: number) => {
    exits.push(code);
    emitter.emit('exited');
  };
  supervise(app, {
    process: Object.assign(emitter, { exit }),
    clock,
    drainMs: 30_000,
    death: death.promise,
    onFault: (...fault) => faults.push(fault),
  });
  return { emitter, exits, faults, die: death.resolve, advance: clock.advance };
}

const never = new Promise<void>(() => undefined);

test.each(['SIGTERM', 'SIGINT'])('%s closes the application, then exits with 0', async (signal) => {
  const closed = Promise.withResolvers<void>();
  const { emitter, exits } = createStage(Promise.resolve({ close: () => closed.promise }));
  emitter.emit(signal);
  await Promise.resolve();
  expect(exits).toEqual([]);
  closed.resolve();
  await once(emitter, 'exited');
  expect(exits).toEqual([0]);
});

test('a second signal exits with 1 at once; the echo of the first does not', () => {
  const { emitter, exits, advance } = createStage(Promise.resolve({ close: () => never }));
  emitter.emit('SIGINT');
  emitter.emit('SIGINT');
  expect(exits).toEqual([]);
  advance(501);
  emitter.emit('SIGTERM');
  expect(exits).toEqual([1]);
});

test('a drain that does not end is ended', () => {
  const { emitter, exits, advance } = createStage(Promise.resolve({ close: () => never }));
  emitter.emit('SIGTERM');
  advance(29_999);
  expect(exits).toEqual([]);
  advance(1);
  expect(exits).toEqual([1]);
});

test.each(['uncaughtException', 'unhandledRejection'])('an %s is reported, drains and exits with 1', async (event) => {
  let closes = 0;
  const close = async () => {
    closes += 1;
  };
  const { emitter, exits, faults } = createStage(Promise.resolve({ close }));
  const error = new Error('boom');
  emitter.emit(event, error);
  emitter.emit(event, error);
  await once(emitter, 'exited');
  expect({ exits, closes }).toEqual({ exits: [1], closes: 1 });
  expect(faults.map(([, fault]) => fault)).toEqual([error, error]);
});

test('a signal during the start closes what has started', async () => {
  const started = Promise.withResolvers<{ close(): Promise<void> }>();
  const { emitter, exits } = createStage(started.promise);
  emitter.emit('SIGTERM');
  started.resolve({ close: () => Promise.resolve() });
  await once(emitter, 'exited');
  expect(exits).toEqual([0]);
});

test('a close that fails is reported and exits with 1', async () => {
  const { emitter, exits, faults } = createStage(Promise.resolve({ close: () => Promise.reject(new Error('disk')) }));
  emitter.emit('SIGTERM');
  await once(emitter, 'exited');
  expect(exits).toEqual([1]);
  expect(faults).toEqual([['stopping', expect.objectContaining({ message: 'disk' })]]);
});

test('the death of the store ends the process at once, so that whoever watches it starts it again', async () => {
  const { exits, faults, die } = createStage(Promise.resolve({ close: () => never }));
  const error = new Error('gone');
  die(error);
  await Promise.resolve();
  await Promise.resolve();
  expect({ exits, faults }).toEqual({ exits: [1], faults: [['the store has stopped', error]] });
});
