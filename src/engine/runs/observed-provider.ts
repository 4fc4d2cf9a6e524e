import type { RunId } from '../../core/ids.ts';
import { type ModelEnd, ModelError, type ModelProvider } from '../../core/ports/model-provider.ts';
import type { Observer } from '../../core/ports/observer.ts';

interface Execution {
  readonly id: RunId;
  readonly snapshot: { readonly provider: string };
}

/** The provider, with every call that a run makes reported; nothing is done for a chunk. */
export function observedProvider(provider: ModelProvider, observer: Observer, { id, snapshot }: Execution): ModelProvider {
  let calls = 0;
  return {
    async stream(request, sink, signal) {
      calls += 1;
      const call = calls;
      observer.modelCalled({ id, call, provider: snapshot.provider, upstream: request.model });
      let end: ModelEnd;
      try {
        end = await provider.stream(request, sink, signal);
      } catch (error) {
        observer.modelReturned({ id, call, code: codeOf(error, signal), usage: null });
        throw error;
      }
      observer.modelReturned({ id, call, code: null, usage: end.usage });
      return end;
    },
    listModels: (signal) => provider.listModels(signal),
  };
}

function codeOf(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return 'stopped';
  return error instanceof ModelError ? error.code : 'internal';
}
