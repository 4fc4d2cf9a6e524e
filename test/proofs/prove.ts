import { parseArgs } from 'node:util';
import { chooseSeed } from '../support/random.ts';
import { proveKill } from './kill.ts';
import { proveQueue } from './queue.ts';
import { proveReaders } from './readers.ts';
import { describeReport, type ProofReport } from './report.ts';
import { proveResume } from './resume.ts';
import { openStore, type ProofStore } from './stores.ts';
import { proveTwice } from './twice.ts';

const USAGE = `Usage: node test/proofs/prove.ts <proof> [--store embedded|postgres] [--seed n]
  resume [--streams 10000]
  kill [--rounds 200] [--unsafe]   --unsafe: a server that delivers before it commits, and must fail
  twice [--questions 10000]
  queue [--threads 500]
  readers [--rounds 1000]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    streams: { type: 'string', default: '10000' },
    store: { type: 'string', default: 'embedded' },
    rounds: { type: 'string' },
    unsafe: { type: 'boolean', default: false },
    questions: { type: 'string', default: '10000' },
    threads: { type: 'string', default: '500' },
  },
});

async function prove(name: string | undefined, seed: number, store: ProofStore): Promise<ProofReport> {
  switch (name) {
    case 'resume':
      return proveResume({ seed, store, streams: Number(values.streams) });
    case 'kill':
      return proveKill({ seed, store, rounds: Number(values.rounds ?? 200), unsafe: values.unsafe });
    case 'twice':
      return proveTwice({ seed, store, questions: Number(values.questions) });
    case 'queue':
      return proveQueue({ seed, store, threads: Number(values.threads) });
    case 'readers':
      return proveReaders({ seed, store, rounds: Number(values.rounds ?? 1_000) });
    default:
      throw new Error(USAGE);
  }
}

const store = await openStore(values.store);
const report = await prove(positionals[0], chooseSeed(values.seed), store).finally(() => store.remove());
process.stdout.write(`${describeReport(report)}\n`);
process.exitCode = report.problems.list.length > 0 ? 1 : 0;
