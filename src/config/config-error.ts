/** The settings do not allow a start. `message` is one sentence for the operator that says what to change; it never carries a secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
