import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PACKAGES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const GRAPH_IMPORTS = `import { END, interrupt, MessagesAnnotation, START, StateGraph } from '@langchain/langgraph';
import { ToolNode } from '@langchain/langgraph/prebuilt';
import { FakeListChatModel } from '@langchain/core/utils/testing';
import { AIMessage } from '@langchain/core/messages';
const builder = new StateGraph(MessagesAnnotation);
const model = (config) => config.configurable.model();`;

/** A folder for modules of agents, from which they find the packages of this project. */
export function createModuleFolder() {
  const directory = mkdtempSync(join(tmpdir(), 'polylogue-modules-'));
  symlinkSync(PACKAGES, join(directory, 'node_modules'));
  let written = 0;

  function write(text: string): string {
    written += 1;
    const path = join(directory, `agent-${written}.mjs`);
    writeFileSync(path, text);
    return path;
  }

  return {
    directory,
    /** Writes a module; gives its path. */
    write,
    /** Writes a module that makes a `graph` of a `builder`, a `model` and whatever else LangGraph has for that. */
    graph: (body: string): string => write(`${GRAPH_IMPORTS}\n${body}`),
    remove: () => rm(directory, { recursive: true }),
  };
}
