const MAX_ENTRIES = 10_000;

/** Whether a file begins as a ZIP archive and its directory lists a Word document's body. Nothing is inflated. */
export async function holdsWordDocument(file: string, head: Buffer): Promise<boolean> {
  if (head.subarray(0, 4).toString('latin1') !== 'PK\x03\x04') return false;
  const { openPromise } = await import('yauzl');
  try {
    const archive = await openPromise(file);
    for await (const entry of archive.eachEntry()) {
      if (/^word\/document\d*\.xml$/.test(entry.fileName)) return true;
      if (archive.entriesRead > MAX_ENTRIES) return false;
    }
  } catch {
    // An archive that cannot be read is no Word document.
    return false;
  }
  return false;
}
