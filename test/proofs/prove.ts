import { parseArgs } from 'node:util';
import { chooseSeed } from '../support/random.ts';
import { proveKill } from './kill.ts';
import { proveQueue } from './queue.ts';
import { describeReport, type ProofReport } from './report.ts';
import { proveResume } from './resume.ts';
import { proveTwice } from './twice.ts';

const USAGE = `Usage: node test/proofs/prove.ts <proof> [--seed n]
  resume [--streams 10000]
  kill [--rounds 200] [--unsafe]   --unsafe: a server that delivers before it commits, and must fail
  twice [--questions 10000]
  queue [--threads 500]`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    streams: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '200' },
    unsafe: { type: 'boolean', default: false },
    questions: { type: 'string', default: '10000' },
    threads: { type: 'string', default: '500' },
  },
});

async function prove(name: string | undefined, seed: number): Promise<ProofReport> {
  switch (name) {
    case 'resume':
      return proveResume({ seed, streams: Number(values.streams) });
    case 'kill':
      return proveKill({ seed, rounds: Number(values.rounds), unsafe: values.unsafe });
    case 'twice':
      return proveTwice({ seed, questions: Number(values.questions) });
    case 'queue':
      return proveQueue({ seed, threads: Number(values.threads) });
    default:
      throw new Error(USAGE);
  }
}

const report = await prove(positionals[0], chooseSeed(values.seed));
process.stdout.write(`${describeReport(report)}\n`);
process.exitCode = report.problems.list.length > 0 ? 1 : 0;
