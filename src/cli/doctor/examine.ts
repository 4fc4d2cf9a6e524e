import { createProviders } from '../../app/models.ts';
import { openStore } from '../../app/store.ts';
import type { Running } from '../../app.ts';
import { systemClock } from '../../backends/clock/system-clock.ts';
import { createLogger } from '../../backends/logger/create-logger.ts';
import { STORE_VERSION } from '../../backends/stores/sql/migrations.ts';
import { StoreInUse } from '../../backends/stores/sqlite/in-use.ts';
import { everyKey } from '../../backends/tokens/every-key.ts';
import { doesKeyCount } from '../../backends/tokens/key-principal.ts';
import { findLooseKeySets } from '../../backends/tokens/loose-key-sets.ts';
import { signInProblem } from '../../backends/tokens/sign-in.ts';
import type { Config } from '../../config.ts';
import type { AccessStore } from '../../core/ports/store.ts';
import type { Finding } from '../../http/control-wire.ts';
import { readStoredVersion } from '../stored-version.ts';
import { examineFiles } from './files.ts';
import { fail, ok, warn } from './finding.ts';
import { examineKeySets, examineProviders, type Providers } from './reach.ts';
import { examineSettings } from './settings.ts';
import { examineTools } from './tools.ts';

/** Examines the server in whose process this runs. */
export async function examineRunning(config: Config, { engine, providers }: Running, signal: AbortSignal): Promise<readonly Finding[]> {
  const state = await engine.readiness();
  const { access } = engine;
  const store = state.ready
    ? [ok('server', `A server with process ${process.pid} is running and ready.`), ...(await examineAccess(config, access, signal))]
    : [fail('server', `A server is running, but not ready: ${state.reason}.`, 'Its log says more.')];
  return [...(await examineAround({ config, providers, signal })), ...store];
}

/** Examines what a start would find. Changes nothing. */
export async function examineStopped(config: Config, signal: AbortSignal): Promise<readonly Finding[]> {
  const found = await examineStore(config);
  const around = await examineAround({ config, providers: await createProviders(config), signal });
  if (found.version !== STORE_VERSION) return [...around, ...found.findings];
  const store = await openStore(config, createLogger('silent'));
  try {
    return [...around, ...found.findings, ...(await examineAccess(config, store, signal))];
  } finally {
    await store.close();
  }
}

async function examineAround(given: { config: Config; providers: Providers; signal: AbortSignal }): Promise<readonly Finding[]> {
  const { config, providers, signal } = given;
  const reached = await Promise.all([examineProviders(providers, signal), examineTools(config, signal)]);
  return [...examineSettings(config), ...(await examineFiles(config)), ...reached.flat()];
}

async function examineStore(config: Config): Promise<{ version: number | null; findings: readonly Finding[] }> {
  try {
    const version = await readStoredVersion(config);
    return { version, findings: [judgeVersion(version)] };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const advice = error instanceof StoreInUse ? 'Ask again when it is done.' : 'Correct DATABASE_URL or DATA_DIR.';
    return { version: null, findings: [fail('store', message, advice)] };
  }
}

function judgeVersion(version: number | null): Finding {
  if (version === null) return ok('store', 'There is no data yet: the first start makes the tables.');
  if (version === STORE_VERSION) return ok('store', `The data has version ${version}, as this program wants it.`);
  const message = `The data has version ${version}, this program writes version ${STORE_VERSION}.`;
  if (version > STORE_VERSION) return fail('store', message, 'Start a newer program.');
  return warn('store', message, 'Run "polylogue migrate", or start.');
}

/** Whether somebody can sign in, and whether the public keys that are needed for that can be had. */
async function examineAccess(
  config: Config,
  access: Pick<AccessStore, 'listKeys' | 'listApplications'>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const problem = await signInProblem({ config, store: access, clock: systemClock });
  const moment = { now: systemClock.now(), development: config.developmentKey !== null };
  let keys = 0;
  for await (const key of everyKey(access)) if (doesKeyCount(key, moment)) keys += 1;
  const applications = await access.listApplications();
  const counts = `API keys that can be used: ${keys}. Applications: ${applications.length}.`;
  const addresses = new Map(config.jwksUrl === null ? [] : [['The server', config.jwksUrl]]);
  for (const { id, tokens } of applications) if (tokens.jwksUrl !== null) addresses.set(`The application "${id}"`, tokens.jwksUrl);
  const signIn = problem === null ? ok('access', counts) : fail('access', problem, 'Run "polylogue keys create --name first".');
  const loose = findLooseKeySets({ config, applications }).map(({ message, advice }) => warn('jwks', message, advice));
  return [signIn, ...loose, ...(await examineKeySets(addresses, signal))];
}
