/** The public name of the model that answers when neither a caller nor the settings name one. */
export const FALLBACK_MODEL = 'gpt-4';
