// A jail whose conditions nothing can fulfil that its filter takes: it would count nobody, and look sound. Pure.
import type { Condition, Conditions } from '../model.ts';
import { compileConditions, demandedTexts, toBytes } from './conditions.ts';
import type { FilterDefinition, FilterOptions } from './contract.ts';

/**
 * The field of which the jail's `where` names whole values, none of which the filter takes.
 * @param definition of a filter that compiles with these options.
 * @returns undefined where there is none, and where that can't be told: of beginnings, parts and regexes nothing is said.
 */
export function contradiction(
  definition: FilterDefinition,
  { where = {}, mode }: FilterOptions,
): string | undefined {
  const cases = definition.matchWhere.filter((each) => each.mode === 'normal' || mode === 'aggressive');
  return Object.entries(where).find(([field, condition]) => {
    const values = wholeValues(condition);
    if (!values) return false;
    const takes = (conditions: Conditions | undefined): boolean => {
      const own = conditions && Object.hasOwn(conditions, field) ? conditions[field] : undefined;
      return own === undefined || values.some(tester(field, own));
    };
    return !takes(definition.where) || (cases.length > 0 && !cases.some((each) => takes(each.where)));
  })?.[0];
}

function wholeValues(condition: Condition): readonly string[] | undefined {
  const demanded = demandedTexts(condition);
  return demanded?.as === 'whole' ? demanded.texts.map(toBytes) : undefined;
}

/** Of a field that may hold numbers, which takes no less than one that holds texts. */
function tester(field: string, condition: Condition): (value: string) => boolean {
  const fields = { names: [field], reader: () => (value: string) => value, isNumeric: () => true };
  return compileConditions({ [field]: condition }, fields, () => {});
}
