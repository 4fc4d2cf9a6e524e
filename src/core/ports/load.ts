/** How busy this process is: `busy` calls for larger batches, `overloaded` for turning new work away. */
export type LoadLevel = 'calm' | 'busy' | 'overloaded';

/** Tells how busy this process is now; cheap enough to ask for every flush and every request. */
export interface LoadGauge {
  level(): LoadLevel;
}
