import { pathToFileURL } from 'node:url';

interface Wanted {
  /** An absolute path. */
  readonly module: string;
  /** The export that holds the agent. */
  readonly name: string;
}

/** What a module exports under a name; rejects with a sentence that names the file and why it is of no use. */
export async function loadExport({ module, name }: Wanted): Promise<unknown> {
  const exported = await importFile(module);
  if (!Object.hasOwn(exported, name)) throw new Error(`${module} has no export named ${name}: write "export const ${name} = ..."`);
  return Reflect.get(exported, name);
}

async function importFile(path: string): Promise<object> {
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${path} cannot be loaded: ${reason}`, { cause: error });
  }
}
