import { appendFileSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { capacity } from './capacity-scenario.ts';
import { openDatabase } from './database.ts';
import { fanOut } from './fan-out-scenario.ts';
import type { StoreKind } from './goals.ts';
import { idle } from './idle-scenario.ts';
import { cannotMeasure, describeLoad, describeMachine } from './machine.ts';
import { moveTo, warnings } from './processors.ts';
import type { Protocol } from './protocols.ts';
import { type Result, STORES, writeGoals, writeResult } from './report.ts';
import { MachineBusy, NOISE } from './rounds.ts';
import type { Bench, Findings, Scenario } from './scenario.ts';
import { slowSync } from './slow-sync-scenario.ts';
import { start } from './start-scenario.ts';
import { streamScenarios } from './stream-scenarios.ts';
import { dismiss, startUpstream } from './targets.ts';
import { turns } from './turns-scenario.ts';

const all: readonly Scenario[] = [...streamScenarios, fanOut, idle, turns, capacity, slowSync, start];

const HELP = `npm run bench -- [scenario ...] [options]

Puts loads on the built server and checks every token. Scenarios (all unless named):
${all.map(({ name, what }) => `  ${name.padEnd(12)}${what}`).join('\n')}
  connections idle and fan-out

  --store embedded|postgres|both   where the server keeps its data (embedded)
  --dialects all|graph,levia,...   through which doors it is asked (chat-sessions)
  --rounds 3                       how often everybody is measured; the table has medians
  --small                          smaller loads
  --accept-noise                   shows numbers though others used the machine
  --json                           a line of JSON for each scenario and store instead of tables
  --save file                      also appends those lines to a file
  --table file                     measures nothing: the README's table from such a file
  --profile folder                 writes CPU profiles of all the server's threads

Ends with 3 when others used the machine so much that it is no result, with 1 when an answer was wrong.
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    store: { type: 'string', default: 'embedded' },
    dialects: { type: 'string', default: 'chat-sessions' },
    rounds: { type: 'string', default: '3' },
    small: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    save: { type: 'string' },
    table: { type: 'string' },
    profile: { type: 'string' },
    'accept-noise': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const DIALECTS: readonly Protocol[] = ['chat-sessions', 'graph', 'levia', 'native', 'chat-ws'];

function chooseDialects(): readonly Protocol[] {
  if (options.dialects === 'all') return DIALECTS;
  return options.dialects.split(',').map((given) => {
    const known = DIALECTS.find((dialect) => dialect === given);
    if (known === undefined) throw new Error(`There is no door "${given}" that streams; there are ${DIALECTS.join(', ')}.`);
    return known;
  });
}

function chooseStores(): readonly StoreKind[] {
  if (options.store === 'both') return ['embedded', 'postgres'];
  if (options.store === 'embedded' || options.store === 'postgres') return [options.store];
  throw new Error(`There is no store "${options.store}"; there are embedded, postgres and both.`);
}

function chooseScenarios(): readonly Scenario[] {
  const names = positionals.flatMap((name) => (name === 'connections' ? ['idle', 'fan-out'] : [name]));
  const unknown = names.find((name) => !all.some((scenario) => scenario.name === name));
  if (unknown !== undefined) throw new Error(`There is no scenario "${unknown}"; --help lists them.`);
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

function nothingWhenBusy(error: unknown): Findings {
  if (!(error instanceof MachineBusy)) throw error;
  return { rows: [], figures: {}, notes: [], strangers: error.strangers };
}

async function measure(scenario: Scenario, store: StoreKind): Promise<Result> {
  moveTo('upstream');
  const database = store === 'postgres' ? await openDatabase() : null;
  const upstream = await startUpstream();
  const { small, profile } = options;
  const rounds = Number(options.rounds);
  const acceptNoise = options['accept-noise'] || profile !== undefined;
  const bench: Bench = {
    store,
    upstream,
    database,
    rounds,
    acceptNoise,
    say,
    small,
    dialects: chooseDialects(),
    profileTo: profile ?? null,
  };
  try {
    const found = await scenario.run(bench).catch(nothingWhenBusy);
    const command = `npm run bench -- ${process.argv.slice(2).join(' ')}`;
    const told = { scenario: scenario.name, what: scenario.what, store, rounds, small, command };
    return { ...told, ...found, date: new Date().toISOString(), machine: describeMachine(), quiet: found.strangers <= NOISE };
  } finally {
    dismiss(upstream);
    await database?.stop();
  }
}

function tell(result: Result): void {
  const line = `${JSON.stringify(result)}\n`;
  if (options.save !== undefined) appendFileSync(options.save, line);
  process.stdout.write(options.json ? line : writeResult(result, options['accept-noise'] || options.profile !== undefined));
  if (!result.quiet) process.exitCode = 3;
}

async function measureAll(): Promise<void> {
  const impossible = cannotMeasure();
  if (impossible !== null) throw new Error(impossible);
  for (const warning of warnings()) say(warning);
  say(`${describeMachine()}; ${describeLoad()}`);
  for (const store of chooseStores()) {
    for (const scenario of chooseScenarios()) {
      say(`${scenario.name}, ${STORES[store]} ...`);
      tell(await measure(scenario, store));
    }
  }
}

if (options.help) process.stdout.write(HELP);
else if (options.table !== undefined) {
  const lines = readFileSync(options.table, 'utf8').trim().split('\n');
  process.stdout.write(writeGoals(lines.map((line) => JSON.parse(line) as Result)));
} else await measureAll();
