import type { AgentDefinition } from '../core/agent.ts';

interface ShippedAgent {
  readonly name: string;
  readonly definition: AgentDefinition;
}

const STEP_LIMIT = 25;
const unnamed = { greeting: null, model: null, module: null, rules: [], stepLimit: STEP_LIMIT } as const;

/** The agents that every server has; the first answers in the graph protocol where nobody names another. */
export const shippedAgents: readonly ShippedAgent[] = [
  {
    name: 'assistant-graph',
    definition: {
      ...unnamed,
      description: "A supervisor looks into the user's files or sample weather data where a question needs them, and the model answers.",
      instructions: '',
      runtime: 'supervisor',
      tools: ['search_attachments', 'weather'],
    },
  },
  {
    name: 'assistant',
    definition: {
      ...unnamed,
      description: "A model with a clock, a calculator and a search in the user's files.",
      instructions: 'Use the tools where they help: for the time, for calculations, and for what stands in files of the user.',
      runtime: 'loop',
      tools: ['clock', 'calculator', 'search_attachments'],
    },
  },
];
