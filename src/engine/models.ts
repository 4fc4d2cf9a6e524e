import { AppError } from '../core/errors.ts';
import type { Catalogue, CatalogueModel } from '../core/ports/catalogue.ts';

/** The model of that public name, the default one without a name. Rejects unknown names. */
export function modelNamed(catalogue: Catalogue, name: string | null | undefined): CatalogueModel {
  const wanted = name ?? catalogue.defaultModel;
  const model = catalogue.find(wanted);
  if (!model) throw new AppError('model_unknown', `There is no model named ${wanted.slice(0, 100)}`);
  return model;
}
