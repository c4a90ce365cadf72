/** A cloud of boxes, as a process of its own: `node cloud.ts [port]`. What a provider's author would not write. */
import { createServer } from 'node:http'

interface Box {
  readonly id: string
  readonly size: string
  readonly rack: string
  readonly labels: Readonly<Record<string, string>>
  readonly startedAtMs: number
  endsAtMs?: number
}

const sizes = {
  small: { cpu: 2, memoryGi: 4, price: 0.05 },
  medium: { cpu: 4, memoryGi: 8, price: 0.1 },
  large: { cpu: 8, memoryGi: 32, price: 0.2 },
}
const racks = ['r1', 'r2']
const pageSize = 3
const boxes = new Map<string, Box>()
const byToken = new Map<string, Box>()
const soldOut = new Set<string>()
const faults: Array<{ readonly call: string; readonly code: string; readonly after: boolean; skip: number }> = []
let aheadMs = 0
let calls = 0

const nowMs = () => Date.now() + aheadMs
const isThere = ({ endsAtMs }: Box) => endsAtMs === undefined || endsAtMs > nowMs()
const show = (box: Box) => ({
  ...box,
  state: box.endsAtMs !== undefined ? 'ending' : nowMs() > box.startedAtMs + 2_000 ? 'running' : 'starting',
})
const start = (size: string, rack: string, labels: Box['labels']): Box => {
  const box = { id: `box-${String(boxes.size + 1).padStart(6, '0')}`, size, rack, labels, startedAtMs: nowMs() }
  boxes.set(box.id, box)
  return box
}

type Answer = readonly [status: number, body: unknown]

const answer = (call: string, path: ReadonlyArray<string>, query: URLSearchParams, body: never): Answer => {
  switch (call) {
    case 'GET sizes':
      return [200, { sizes, racks }]
    case 'POST boxes': {
      const { token, size, rack, labels } = body as Box & { readonly token: string }
      const known = byToken.get(token)
      if (known !== undefined) return isThere(known) ? [200, show(known)] : [409, { code: 'TokenUsed' }]
      if (!Object.hasOwn(sizes, size) || !racks.includes(rack)) return [400, { code: 'BadRequest' }]
      if (soldOut.has(size)) return [409, { code: 'SoldOut' }]
      const box = start(size, rack, labels)
      byToken.set(token, box)
      return [201, show(box)]
    }
    case 'GET boxes': {
      if (path[1] !== undefined) {
        const box = boxes.get(path[1])
        return box !== undefined && isThere(box) ? [200, show(box)] : [404, { code: 'NoSuchBox' }]
      }
      const own = [...boxes.values()].filter((box) => isThere(box) && box.labels['cluster'] === query.get('cluster'))
      const rest = own.filter(({ id }) => id > (query.get('after') ?? ''))
      return [
        200,
        { boxes: rest.slice(0, pageSize).map(show), ...(rest.length > pageSize && { next: rest[pageSize - 1]?.id }) },
      ]
    }
    case 'DELETE boxes': {
      const box = boxes.get(path[1] ?? '')
      if (box === undefined || !isThere(box)) return [404, { code: 'NoSuchBox' }]
      box.endsAtMs ??= nowMs() + 3_000
      return [202, show(box)]
    }
    // What tests do to the cloud.
    case 'POST control': {
      const {
        passMs = 0,
        fault,
        sellOut,
        foreign,
      } = body as {
        readonly passMs?: number
        readonly fault?: (typeof faults)[0]
        readonly sellOut?: string
        readonly foreign?: true
      }
      aheadMs += passMs
      if (fault !== undefined) faults.push(fault)
      if (sellOut !== undefined) soldOut.add(sellOut)
      if (sellOut === '') soldOut.clear()
      const started = foreign && start('small', 'r1', { cluster: 'another' })
      return [200, { calls, started, present: [...boxes.values()].filter(isThere).map(({ id }) => id) }]
    }
    default:
      return [404, { code: 'NoSuchCall' }]
  }
}

const server = createServer((incoming, outgoing) => {
  let text = ''
  incoming.on('data', (chunk: Buffer) => (text += chunk.toString()))
  incoming.on('end', () => {
    const url = new URL(incoming.url ?? '/', 'http://cloud')
    const path = url.pathname.split('/').slice(1)
    const call = `${incoming.method} ${path[0]}`
    if (path[0] !== 'control') calls++
    const due = faults.findIndex((fault) => fault.call === call && fault.skip-- <= 0)
    const [fault] = due < 0 ? [] : faults.splice(due, 1)
    const well =
      fault === undefined || fault.after
        ? answer(call, path, url.searchParams, JSON.parse(text || '{}') as never)
        : undefined
    const [status, body] = fault === undefined && well !== undefined ? well : [500, { code: fault?.code }]
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
}).listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  const address = server.address()
  console.log(
    JSON.stringify({ url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}` }),
  )
})
