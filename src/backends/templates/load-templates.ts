import { readdir, readFile } from 'node:fs/promises';
import type { Template } from '../../core/prompt.ts';
import type { JsonObject } from '../../core/thread.ts';

const FOLDER = new URL('../../prompts/', import.meta.url);
/** Facts as JSON, then the prompt itself. */
const FILE = /^---json\n(.*?)\n---\n\n(.*)\n$/s;

interface Facts {
  readonly number: number;
  readonly title: string;
  readonly scenario: string;
  readonly description: string;
  /** A day, as is `updated`. */
  readonly created: string;
  readonly updated: string;
  readonly metadata: JsonObject;
}

/** The templates that come with the server: the Markdown files in `prompts/`. Their numbers are for good: who has one expects the same prompt. */
export async function loadTemplates(): Promise<readonly Template[]> {
  const names = (await readdir(FOLDER)).filter((name) => name.endsWith('.md'));
  return Promise.all(names.map(async (name) => readTemplate(name, await readFile(new URL(name, FOLDER), 'utf8'))));
}

function readTemplate(name: string, file: string): Template {
  const [, json, content] = FILE.exec(file) ?? [];
  if (json === undefined || content === undefined)
    throw new Error(`prompts/${name} does not begin with its facts between ---json and ---.`);
  const { created, updated, ...facts } = JSON.parse(json) as Facts;
  return { ...facts, content, createdAt: Date.parse(created), updatedAt: Date.parse(updated) };
}
