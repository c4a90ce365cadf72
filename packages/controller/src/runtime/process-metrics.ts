import { type Metrics, families } from '../observability/index.ts'

/** Tells memory and CPU time of the process whenever metrics are asked for. */
export const reportProcess = (metrics: Metrics): void => {
  let toldSeconds = 0
  metrics.beforeRender(() => {
    metrics.set(families.memoryResident, {}, process.memoryUsage.rss())
    const { user, system } = process.cpuUsage()
    const seconds = (user + system) / 1e6
    metrics.add(families.processCpu, {}, seconds - toldSeconds)
    toldSeconds = seconds
  })
}
