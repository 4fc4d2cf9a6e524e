/**
 * Writes a command's result: as one line of JSON when that was asked for, else in words. Rejects with a sentence when the output does not take
 * it.
 */
export function print(value: unknown, { json, words }: { readonly json: boolean | undefined; readonly words: string }): Promise<void> {
  const text = json ? `${JSON.stringify(value)}\n` : words;
  const { stdout } = process;
  return new Promise((resolve, reject) => {
    // Comes after the callback, and would end the process with a stack.
    const onError = () => undefined;
    stdout.once('error', onError);
    stdout.write(text, (error) => {
      if (error) {
        reject(new Error(`The output cannot be written (${codeOf(error)}).`, { cause: error }));
        return;
      }
      stdout.off('error', onError);
      resolve();
    });
  });
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.message;
}
