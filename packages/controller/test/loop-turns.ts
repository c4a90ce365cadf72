/** How long the event loop took from turn to turn, in milliseconds. */
export interface Turns {
  readonly p50: number
  readonly p99: number
  readonly max: number
}

/**
 * Watches the event loop until the answer is called: how long its turns took by the wall, and how much CPU time this
 * thread used in each. The latter leaves out what other processes took from it.
 */
export const watchTurns = (): (() => Promise<{ readonly wall: Turns; readonly cpu: Turns }>) => {
  const [walls, cpus]: [Array<number>, Array<number>] = [[], []]
  let [wallMs, cpuMs] = [performance.now(), threadCpuMs()]
  const turn = () => {
    const [wallNowMs, cpuNowMs] = [performance.now(), threadCpuMs()]
    walls.push(Math.max(wallNowMs - wallMs - timerMs, 0))
    cpus.push(cpuNowMs - cpuMs)
    ;[wallMs, cpuMs] = [wallNowMs, cpuNowMs]
    timer = setTimeout(turn, timerMs)
  }
  let timer = setTimeout(turn, timerMs)
  return async () => {
    await new Promise((resolve) => setTimeout(resolve, 2 * timerMs))
    clearTimeout(timer)
    return { wall: turnsOf(walls), cpu: turnsOf(cpus) }
  }
}

const timerMs = 1

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const turnsOf = (values: ReadonlyArray<number>): Turns => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
