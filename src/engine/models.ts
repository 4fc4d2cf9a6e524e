import type { Catalogue, CatalogueModel } from '../core/ports/catalogue.ts';
import { modelUnknown } from '../core/refusals.ts';

/** The model of that public name, the default one without a name. Rejects unknown names. */
export function modelNamed(catalogue: Catalogue, name: string | null | undefined): CatalogueModel {
  const wanted = name ?? catalogue.defaultModel;
  const model = catalogue.find(wanted);
  if (!model) throw modelUnknown(wanted);
  return model;
}
