import { findings, type Checker } from './checker.ts'

const claimTag = 'karpenter.sh/nodeclaim'

/** No machine without a claim, no claim without its machine, no Node without a claim, once all is at rest. */
export const noOrphans = (): Checker => {
  const { note, violations } = findings()
  return {
    name: 'no orphans',
    onRest: (world) => {
      const claimed = new Map([...world.claims()].map((claim) => [claim.status.providerID ?? '', claim.metadata.name]))
      const alive = world.everyMachine().filter(({ state }) => state === 'pending' || state === 'running')
      const ids = new Set(alive.map(({ name }) => `kwok://${name}`))
      for (const { name } of alive)
        if (!claimed.has(`kwok://${name}`)) note(`Machine ${name} runs, and no NodeClaim has it`)
      for (const [id, name] of claimed)
        if (!ids.has(id)) note(`NodeClaim ${name} names ${id || 'no machine'}, which does not run`)
      for (const node of world.nodes())
        if (!claimed.has(node.spec.providerID ?? '')) note(`Node ${node.metadata.name} is left without a NodeClaim`)
    },
    violations,
  }
}

/** No claim ever gets a second machine. */
export const noDoubleLaunch = (): Checker => {
  const { note, violations } = findings()
  const owners = new Map<string, string>()
  let seen = 0
  let isDirty = true
  const look: Checker['onLook'] = (world) => {
    if (!isDirty) return
    isDirty = false
    const machines = world.everyMachine()
    for (const { tags, name } of machines.slice(seen)) {
      const claim = tags[claimTag] ?? ''
      const first = owners.get(claim)
      if (first === undefined) owners.set(claim, name)
      else if (first !== name) note(`NodeClaim ${claim} was given ${first} and ${name}`)
    }
    seen = machines.length
  }
  return {
    name: 'no double launch',
    onEffect: ({ name }) => void (isDirty ||= name === 'launch'),
    onLook: look,
    onRest: (world) => {
      isDirty = true
      look(world)
    },
    violations,
  }
}
