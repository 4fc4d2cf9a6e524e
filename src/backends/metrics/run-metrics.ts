import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Observer } from '../../core/ports/observer.ts';
import { createFlushMetrics } from './flush-metrics.ts';
import type { Tallies } from './tallies.ts';
import { WAITS } from './waits.ts';

const nothing = () => undefined;
const uncounted = { runBegun: nothing, modelCalled: nothing, modelReturned: nothing, runEnding: nothing, accessChanged: nothing };

interface RunMetricsOptions {
  readonly registry: Registry;
  readonly tallies: Tallies;
  /** The name to count a model under; one of few, whatever callers ask for. */
  readonly modelLabel: (model: string) => string;
}

/** An observer that counts runs, tokens and refusals. Nothing is done for a token, and for a run at most one observation a flush. */
export function createRunMetrics({ registry, tallies, modelLabel }: RunMetricsOptions): Observer {
  const registers = [registry];
  const running = new Gauge({ name: 'polylogue_runs_running', help: 'Runs that this process executes now.', registers });
  const queued = new Counter({ name: 'polylogue_runs_queued_total', help: 'Runs that had to wait in their thread.', registers });
  const waited = tallies.add({
    name: 'polylogue_run_queue_seconds',
    help: 'How long runs were stored before they were executed.',
    buckets: WAITS,
  });
  const ended = new Counter({
    name: 'polylogue_runs_ended_total',
    help: 'Runs that ended here, by how; `code` is why a run failed.',
    labelNames: ['model', 'status', 'code'],
    registers,
  });
  const lasted = tallies.add({
    name: 'polylogue_run_duration_seconds',
    help: 'From the start of an execution to its stored end.',
    buckets: [...WAITS, 120, 300, 1800],
  });
  const tokens = new Counter({
    name: 'polylogue_tokens_total',
    help: 'Tokens as providers counted them, by direction.',
    labelNames: ['model', 'direction'],
    registers,
  });
  const firstToken = new Histogram({
    name: 'polylogue_first_token_seconds',
    help: "From the start of an execution to the model's first text.",
    labelNames: ['model'],
    buckets: WAITS,
    registers,
  });
  return {
    ...createFlushMetrics(registry, tallies),
    ...createTroubleMetrics(registry),
    ...createToolMetrics(registry),
    ...uncounted,
    runQueued: () => queued.inc(),
    runStarted({ queuedMs }) {
      running.inc();
      waited.observe(queuedMs / 1000);
    },
    firstToken: ({ model, sinceStartMs }) => firstToken.observe({ model: modelLabel(model) }, sinceStartMs / 1000),
    runEnded({ status, code, usage, durationMs, ...run }) {
      const model = modelLabel(run.model);
      running.dec();
      ended.inc({ model, status, code: code ?? '' });
      lasted.observe(durationMs / 1000);
      if (usage === null) return;
      tokens.inc({ model, direction: 'input' }, usage.input_tokens);
      tokens.inc({ model, direction: 'output' }, usage.output_tokens);
    },
  };
}

function createToolMetrics(registry: Registry): Pick<Observer, 'toolReturned'> {
  const took = new Histogram({
    name: 'polylogue_tool_call_seconds',
    help: 'How long calls of tools took, by how they ended.',
    labelNames: ['status'],
    buckets: WAITS,
    registers: [registry],
  });
  return { toolReturned: ({ status, durationMs }) => took.observe({ status }, durationMs / 1000) };
}

function createTroubleMetrics(registry: Registry): Pick<Observer, 'refused' | 'faulted'> {
  const registers = [registry];
  const refused = new Counter({
    name: 'polylogue_refused_total',
    help: 'What callers were refused because an allowance was used up.',
    labelNames: ['code', 'limit'],
    registers,
  });
  const faults = new Counter({ name: 'polylogue_faults_total', help: 'What broke unexpectedly.', labelNames: ['where'], registers });
  return {
    refused: ({ code, limit }) => refused.inc({ code, limit }),
    faulted: (where) => faults.inc({ where }),
  };
}
