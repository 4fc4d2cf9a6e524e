export { createAccess } from './access/create-access.ts';
export type { OwnAgent } from './agents/agents.ts';
export { createPassageSearch } from './context/files/search.ts';
export { createEngine } from './create-engine.ts';
export type {
  Access,
  ApplicationSettings,
  CreateKey,
  CreateThread,
  Engine,
  EnginePorts,
  Follow,
  IncomingMessage,
  RepeatKey,
  Started,
  StartRun,
} from './engine.ts';
export { queueFull, runLimitReached } from './limits/run-bounds.ts';
export type { Preview, PreviewPrompt, PromptListing, PromptListPlace, PromptVariables } from './prompts/prompts.ts';
