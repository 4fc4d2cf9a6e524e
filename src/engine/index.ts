export { createEngine } from './create-engine.ts';
export type {
  CreateThread,
  Engine,
  Follow,
  IncomingMessage,
  RepeatKey,
  Started,
  StartRun,
} from './engine.ts';
