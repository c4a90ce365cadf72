import type { ConditionChange } from '../cluster/index.ts'
import type { OverlayVerdict } from './evaluate-overlays.ts'

/**
 * What the condition ValidationSucceeded of an overlay says (P-OVA-06, P-OVC-05, P-OVC-06).
 *
 * @example
 * overlayCondition({ _tag: 'Valid' }).status // => 'True'
 */
export const overlayCondition = (verdict: OverlayVerdict): ConditionChange => {
  const type = 'ValidationSucceeded'
  switch (verdict._tag) {
    case 'Valid':
      return { type, status: 'True' }
    case 'Invalid':
      return { type, status: 'False', reason: 'RuntimeValidation', message: verdict.problems.join('; ') }
    case 'Conflict': {
      const { other, nodePool, instanceType, resource } = verdict
      const what = resource === undefined ? 'prices of' : `resource ${resource} of`
      return {
        type,
        status: 'False',
        reason: 'Conflict',
        message: `NodeOverlay ${other} of the same weight speaks of ${what} instance type ${instanceType} in NodePool ${nodePool}; give one of them another weight`,
      }
    }
  }
}
