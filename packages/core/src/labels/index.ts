import * as selector from './selector.ts'
import * as syntax from './syntax.ts'
import { extend, isRestricted, nodeClassLabelKey, normalizeKey, normalizeValue } from './well-known.ts'

export type { LabelSelector, Selector, SelectorTerm } from './selector.ts'
export type { CapacityType, LabelAdditions, LabelKnowledge } from './well-known.ts'
export {
  annotationKeys,
  capacityTypes,
  coreLabelKnowledge,
  labelKeys,
  scantlingKeys,
  taintKeys,
  terminationFinalizer,
} from './well-known.ts'

/** Labels or annotations of an object: one name for the type and for the functions on it. */
export type Labels = syntax.Labels
export const Labels = {
  ...syntax,
  ...selector,
  extend,
  isRestricted,
  nodeClassLabelKey,
  normalizeKey,
  normalizeValue,
}
