import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPostgres, startPostgresServer } from '../test/support/postgres-server.ts';
import { measureFanOut, measureIdle } from './connections.ts';
import { type Measurement, measure } from './measure.ts';
import type { Protocol } from './protocols.ts';
import { type Row, toRow, writeTable } from './report.ts';
import { dialects, type StreamScenario, streamScenarios } from './scenarios.ts';
import { startBareRelay, startPolylogue, startUpstream, type Target } from './targets.ts';

// npm run bench -- [burst paced many short connections] [--store embedded|postgres] [--dialects all] [--rounds 3] [--small] [--json] [--profile folder]

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'embedded' },
    dialects: { type: 'string', default: 'chat-sessions' },
    rounds: { type: 'string', default: '3' },
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
});

const chosenDialects = (options.dialects === 'all' ? dialects : options.dialects.split(',')) as readonly Protocol[];
const scenarios = streamScenarios(options.small).filter(({ name }) => positionals.length === 0 || positionals.includes(name));

async function openDatabase(): Promise<{ url: string; pid: number; stop(): Promise<void> } | null> {
  if (options.store !== 'postgres') return null;
  const programs = findPostgres();
  if (programs === null) throw new Error('There is no PostgreSQL here: npm ci installs one, apt install postgresql another.');
  const server = await startPostgresServer(programs);
  const socket = new URL(server.url.replace('@/', '@localhost/')).searchParams.get('host') ?? '';
  const pid = Number(readFileSync(join(socket, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
  return { url: server.url, pid, stop: () => server.stop() };
}

interface Contestant {
  readonly name: string;
  readonly protocol: Protocol;
  readonly start: () => Promise<Target>;
}

/** Every target gets a fresh process in every round, and the rounds are interleaved, so that a change of the machine meets all alike. */
async function runScenario(scenario: StreamScenario): Promise<readonly Row[]> {
  const upstream = await startUpstream();
  const database = await openDatabase();
  const direct: Contestant = {
    name: 'direct',
    protocol: scenario.whole ? 'openai-whole' : 'openai',
    start: async () => ({ url: upstream.url, token: '', pid: upstream.pid, readyMs: 0, stop: async () => undefined }),
  };
  const bare: Contestant = { ...direct, name: 'bare', start: () => startBareRelay(upstream.url) };
  const ours = (scenario.whole ? (['chat-sessions-whole'] as const) : chosenDialects).map((protocol) => ({
    name: protocol,
    protocol,
    start: () => startPolylogue(upstream.url, { databaseUrl: database?.url ?? null, profileTo: options.profile ?? null }),
  }));
  const contestants = [direct, bare, ...ours];
  const measurements = new Map<string, Measurement[]>(contestants.map(({ name }) => [name, []]));
  try {
    for (let round = 1; round <= Number(options.rounds); round += 1) {
      for (const { name, protocol, start } of contestants) {
        const target = await start();
        try {
          const load = { ...scenario.load, place: { url: target.url, token: target.token }, protocol };
          const parties = { target: target.pid, upstream: upstream.pid, database: database?.pid ?? null };
          measurements.get(name)?.push(await measure(load, parties));
        } finally {
          await target.stop();
        }
      }
    }
  } finally {
    upstream.child.disconnect();
    await database?.stop();
  }
  return contestants.map(({ name }) => toRow(name, measurements.get(name) ?? [], measurements.get('bare') ?? []));
}

/** What an open connection costs, and a reader of a run that many read. */
async function runConnections(): Promise<string> {
  const upstream = await startUpstream();
  const database = await openDatabase();
  const lines: string[] = [];
  const onTarget = async (measurement: (target: Target) => Promise<string>) => {
    const target = await startPolylogue(upstream.url, { databaseUrl: database?.url ?? null, profileTo: options.profile ?? null });
    lines.push(await measurement(target));
    await target.stop();
  };
  const connections = options.small ? 1_000 : 9_000;
  try {
    for (const kind of ['web-socket', 'event-stream'] as const) {
      await onTarget(async (target) => {
        const { kibPerConnection, idleMb } = await measureIdle(target, kind, connections);
        const ready = target.readyMs.toFixed(0);
        return `idle: ${connections} ${kind}s, ${kibPerConnection.toFixed(1)} KiB each; ${idleMb.toFixed(0)} MB before; ready after ${ready} ms`;
      });
    }
    const script = { id: 'fan', tokens: 400, delayMs: 10, batch: 1 };
    await onTarget(async (target) => {
      const perMillion = await measureFanOut(target, { readers: 500, script });
      return `fan-out: 500 readers of one run, ${perMillion.toFixed(2)} CPU s for a million delivered tokens`;
    });
  } finally {
    upstream.child.disconnect();
    await database?.stop();
  }
  return `\n${lines.join('\n')}\n`;
}

for (const scenario of scenarios) {
  const rows = await runScenario(scenario);
  process.stdout.write(options.json ? `${JSON.stringify({ scenario: scenario.name, rows })}\n` : writeTable(scenario, rows));
}
if (positionals.length === 0 || positionals.includes('connections')) process.stdout.write(await runConnections());
