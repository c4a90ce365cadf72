import type { Log } from '../observability/index.ts'

// Texts may name objects; whoever has read so many has read enough.
const mostTold = 100

/**
 * Logs what the API server warns of in the header `Warning`, each text once.
 *
 * Its commonest is a field that it does not know and drops, which is how definitions older than this controller show.
 */
export const makeServerWarnings = (log: Log): ((action: string, header: string) => void) => {
  const told = new Set<string>()
  return (action, header) => {
    for (const [, quoted = ''] of header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)) {
      // Of a list's items one speaks for all.
      const text = quoted.replaceAll(/\\(.)/g, '$1').replaceAll(/\[\d+\]/g, '[]')
      if (told.has(text) || told.size >= mostTold) continue
      told.add(text)
      const [, field] = /^unknown field "(.*)"$/.exec(text) ?? []
      if (field === undefined) log.info('The API server warns', { request: action, warning: text })
      else
        log.warn(
          'The API server drops a field that it does not know: the CustomResourceDefinition is older than this controller; apply those of its release, which the chart brings under crds',
          { request: action, field },
        )
    }
  }
}
