/** Writes a command's result: as one line of JSON when that was asked for, else in words. */
export function print(value: unknown, { json, words }: { readonly json: boolean | undefined; readonly words: string }): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : words);
}
