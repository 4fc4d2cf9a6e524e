import type { Logger } from 'pino';
import { systemClock } from '../backends/clock/system-clock.ts';
import { createOperatorTokens } from '../backends/tokens/operator-token.ts';
import type { Config } from '../config.ts';
import type { Engine } from '../engine/index.ts';
import { serveControl } from '../http/control-socket.ts';
import type { Finding } from '../http/control-wire.ts';

interface Control {
  readonly config: Config;
  readonly log: Logger;
  readonly engine: Pick<Engine, 'access'>;
  /** Verify tokens of the default application's users; the first one signs. */
  readonly secrets: readonly string[];
  readonly examine: (signal: AbortSignal) => Promise<readonly Finding[]>;
}

/** Lets the `polylogue` command reach this server; the function it returns ends that. */
export function openControl({ config, log, engine, secrets, examine }: Control): Promise<() => Promise<void>> {
  const { access } = engine;
  const issuer = { issue: access.issueToken };
  const issueToken = createOperatorTokens({ secrets, required: config.tokens, issuer, clock: systemClock });
  const facts = { pid: process.pid, node: process.versions.node, store: config.databaseUrl === null ? 'embedded' : 'postgresql' };
  return serveControl({ access, clock: systemClock, log, issueToken, facts, examine }, config.dataDir);
}
