/** Told what did not work while the server goes on, for the operator. Neither argument carries a credential. */
export type OnFault = (what: string, error: unknown) => void;
