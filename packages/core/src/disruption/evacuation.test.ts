import { describe, expect, test } from '@jest/globals'
import { instanceType, managedNode, nodePool, pendingPod, runningPod, sceneOf, type Scene } from '../testing/index.ts'
import { Resources } from '../quantity/index.ts'
import { startEvacuation } from './index.ts'

const types = [instanceType('large', 8), instanceType('medium', 4)]
const full = (name: string) => managedNode(name, { pods: [runningPod(`${name}-pod`, { cpu: '7' })] })
const evacuate = (scene: Scene, limits: 'during' | 'after' = 'after') => {
  const found = startEvacuation(sceneOf({ types, ...scene }), 'one', { strategy: 'first-fit', limits }).finish()
  return (
    found && {
      pods: found.replacements.map(({ pods }) => pods.map(({ name }) => name)),
      homeless: found.homeless.map(({ name }) => name),
    }
  )
}

describe('startEvacuation()', () => {
  test('asks for new nodes for what has no place elsewhere, whatever they cost', () => {
    expect(evacuate({ nodes: [full('one')] })).toEqual({ pods: [['one-pod']], homeless: [] })
    expect(evacuate({ nodes: [full('one'), managedNode('two')] })).toEqual({ pods: [], homeless: [] })
  })

  test('leaves nodes for pods that wait anyway to provisioning', () => {
    const waiting = pendingPod('waiting', { cpu: '6' })
    expect(evacuate({ nodes: [full('one')], pods: [waiting] })).toEqual({ pods: [['one-pod']], homeless: [] })
  })

  test('keeps limits with the node still up, or with what stays alone', () => {
    const nodePools = [nodePool('default', { limits: Resources.parse({ nodes: '1' }) })]
    expect(evacuate({ nodes: [full('one')], nodePools }, 'during')).toEqual({ pods: [], homeless: ['one-pod'] })
    expect(evacuate({ nodes: [full('one')], nodePools }, 'after')).toEqual({ pods: [['one-pod']], homeless: [] })
  })

  test('has nothing to say of a node that is going or not there', () => {
    expect(evacuate({ nodes: [] })).toBeUndefined()
    expect(evacuate({ nodes: [{ ...full('one'), isMarkedForDeletion: true }] })).toBeUndefined()
  })
})
