import type { DisruptionCommand } from '@scantling/core'

/** A disruption that is under way: nodes that go, and what must be up before they do. */
export interface RunningCommand {
  /** Names it in logs, in texts and on its replacements. */
  readonly id: string
  readonly startedAtMs: number
  /** As conditions name it. */
  readonly reason: string
  /** As disrupted claims are counted; absent: by the reason. */
  readonly countedAs?: string
  /** As the reference labels it; empty for drift and what is no consolidation. */
  readonly consolidationType: string
  readonly command: DisruptionCommand
  /** `stay`: without its replacements nothing goes. `go`: the nodes are lost anyway, so they go when time is up. */
  readonly otherwise: 'stay' | 'go'
  /** The nodes go then, whether their replacements are up or not. */
  readonly goAtMs?: number
  /** Claims on their way out by this command. */
  readonly candidates: ReadonlySet<string>
  /** Claims that it waits for. */
  readonly replacements: ReadonlySet<string>
}

/**
 * Which claims are part of which disruption; a claim is part of one at the most (D-QUEUE-01).
 *
 * Lost in a restart; what was under way is then read back from the marks on nodes and claims.
 */
export interface CommandCell {
  /** Takes the candidates of a command; `false`, and nothing is taken, when one of them is taken already. */
  readonly take: (command: RunningCommand) => boolean
  /** Lets a command's candidates go. */
  readonly release: (id: string) => void
  readonly update: (command: RunningCommand) => void
  /** The command that a candidate is part of. */
  readonly of: (claim: string) => RunningCommand | undefined
  readonly get: (id: string) => RunningCommand | undefined
  readonly all: () => ReadonlyArray<RunningCommand>
  /** Nodes in all commands under way; what a command's time-out grows with (D-QUEUE-10). */
  readonly candidates: () => number
  /** Work to wait for at the end. */
  readonly follow: (work: Promise<void>) => void
  readonly settled: () => Promise<void>
}

export const makeCommandCell = (): CommandCell => {
  const commands = new Map<string, RunningCommand>()
  const byClaim = new Map<string, string>()
  const followed = new Set<Promise<void>>()
  return {
    take: (command) => {
      for (const claim of command.candidates) if (byClaim.has(claim)) return false
      commands.set(command.id, command)
      for (const claim of command.candidates) byClaim.set(claim, command.id)
      return true
    },
    release: (id) => {
      commands.delete(id)
      for (const [claim, command] of byClaim) if (command === id) byClaim.delete(claim)
    },
    update: (command) => {
      if (!commands.has(command.id)) return
      commands.set(command.id, command)
      for (const [claim, id] of byClaim) if (id === command.id && !command.candidates.has(claim)) byClaim.delete(claim)
    },
    of: (claim) => commands.get(byClaim.get(claim) ?? ''),
    get: (id) => commands.get(id),
    all: () => [...commands.values()],
    candidates: () => byClaim.size,
    follow: (work) => {
      followed.add(work)
      void work.finally(() => followed.delete(work))
    },
    settled: async () => {
      await Promise.all(followed)
    },
  }
}
