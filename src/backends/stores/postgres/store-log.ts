/** Where the store says what an operator may want to know; a part of pino's logger. */
export interface StoreLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
