/** The public name of the model that answers when neither a caller nor the settings name one. */
export const FALLBACK_MODEL = 'gpt-4';

/** The provider that is always there and is no model: whoever shows what answered says so. */
export const DEMO_PROVIDER = 'demo';
