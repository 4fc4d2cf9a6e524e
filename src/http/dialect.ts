import type { FastifyInstance } from 'fastify';
import type { Clock } from '../core/ports/clock.ts';
import type { Caller, Principal, Scope } from '../core/principal.ts';
import type { Engine } from '../engine/index.ts';
import type { AuthenticateOptions, CredentialCarrier } from './authenticate.ts';
import type { DialectDocument } from './docs/operation.ts';
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

/** The only way into a dialect: what it checks, no door can forget. */
export interface Doorkeeper {
  /**
   * Who sent a request. Rejects with `auth_missing`, `auth_invalid`, `auth_expired`, `auth_conflict`; with `scope_denied` when the credential
   * does not count in this dialect, or not for what the request's method does (GET reads, all else writes; a WebSocket's frames are checked
   * one by one).
   */
  authenticate(request: CredentialCarrier, options?: AuthenticateOptions): Promise<Principal>;
  /**
   * Whose records the request touches: the user that a key names, else its application's service user; always a token's own user. Charges the
   * request. Rejects with `scope_denied`, `validation_failed`, `unicode_invalid`, `rate_limited`, and `auth_revoked`, `auth_expired` or
   * `auth_invalid` when the credential counts no more.
   */
  callerOf(request: CredentialCarrier, principal: Principal, namedUser: string | null): Promise<Caller>;
  /** Throws `scope_denied` unless the credential allows it. */
  require(principal: Principal, scope: Scope): void;
}

/** Everything a front door may use. */
export interface DialectDeps {
  readonly engine: Engine;
  readonly door: Doorkeeper;
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
  /** What is no value of the parameters in its prefixes: at such an address there is nothing. */
  readonly reserved?: readonly string[];
  /** Who it is for, in a few words for the start page. */
  readonly purpose: string;
  /** For the start page: shell commands that need nothing but curl and sed and print a first answer. */
  readonly example?: (place: ExamplePlace) => string;
  /** What `/openapi.json` and `/asyncapi.json` tell of it; loaded when somebody asks, so that a start does not wait for it. */
  readonly document?: () => Promise<DialectDocument>;
  register(scope: FastifyInstance, deps: DialectDeps): void | Promise<void>;
}
