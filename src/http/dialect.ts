import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import type { Credentials } from '../core/ports/credentials.ts';
import type { Engine } from '../engine/index.ts';
import type { EventStreams } from './event-stream.ts';
import type { RunStreams } from './run-streams.ts';
import type { WebSocketDoors } from './web-socket.ts';

/** What the operator may set for the front doors. */
interface DialectSettings {
  /** How long a JSON answer waits for its run, in milliseconds. */
  readonly answerTimeoutMs: number;
  /** How many turns of the user's latest thread a new levia session starts with; 0 for none. */
  readonly carryTurns: number;
  readonly chatWs?: {
    /** Whether an empty thread greets whoever asks for its history; true unless set. */
    readonly greeting: boolean;
    /** Longest message in UTF-8 bytes; 32,768 unless set. */
    readonly contentBytes: number;
  };
}

/** Everything a front door may use. */
export interface DialectDeps {
  readonly engine: Engine;
  readonly credentials: Credentials;
  readonly clock: Clock;
  /** Opens SSE responses that a route writes itself. */
  readonly eventStreams: EventStreams;
  /** Sends a run's log as SSE, or on a WebSocket. */
  readonly runStreams: RunStreams;
  /** Accepts WebSockets. */
  readonly sockets: WebSocketDoors;
  readonly settings: DialectSettings;
}

/** Where a caller reaches this server, and the key to show; both fit between double quotes in a shell. */
export interface ExamplePlace {
  readonly url: string;
  readonly key: string;
}

/** A wire protocol: one encapsulated Fastify plugin with its own error handler, mounted once under each prefix. */
export interface Dialect {
  readonly name: string;
  /** Paths its routes are relative to, each with a leading slash and without a trailing one. */
  readonly prefixes: readonly string[];
  /** Who it is for, in a few words for the start page. */
  readonly purpose: string;
  /** For the start page: shell commands that need nothing but curl and sed and print a first answer. */
  readonly example?: (place: ExamplePlace) => string;
  register(scope: FastifyInstance, deps: DialectDeps): void | Promise<void>;
}
