import { dirname, resolve } from 'node:path';
import type { AgentDefinition } from '../core/agent.ts';
import { parseUuid } from '../core/ids.ts';
import { ConfigError } from './config-error.ts';
import type { ConfigFile, PlaceOf } from './config-file.ts';

/** An agent that the settings name. */
export interface AgentConfig {
  readonly name: string;
  readonly definition: AgentDefinition;
}

/** Model calls of one answer. */
const STEP_LIMIT = 25;

/** The file's agents; modules are absolute paths. `path` is the file's own. */
export function readAgents({ agents = {} }: ConfigFile, { placeOf, path }: { placeOf: PlaceOf; path: string }): readonly AgentConfig[] {
  return Object.entries(agents.definitions ?? {}).map(([name, entry]) => {
    const place = (...names: readonly string[]) => placeOf('agents', 'definitions', name, ...names);
    if (parseUuid(name)) throw new ConfigError(`${place()} is called like an id: choose a name.`);
    const { runtime = 'loop', module = null } = entry;
    const isCode = runtime === 'langgraph' || runtime === 'openai-agents';
    if (isCode && module === null) throw new ConfigError(`${place()} needs module, the file that exports it.`);
    if (!isCode && module !== null) throw new ConfigError(`${place('module')} has no meaning with the runtime ${runtime}.`);
    const { description = '', instructions = '', greeting = null, model = null, tools = [], rules = [], stepLimit = STEP_LIMIT } = entry;
    const file = module === null ? null : resolve(dirname(path), module);
    return { name, definition: { description, instructions, greeting, model, runtime, module: file, tools, rules, stepLimit } };
  });
}
