/** The settings do not allow a start. `message` says to the operator what to change, a sentence a line; it never carries a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
