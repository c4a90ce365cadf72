import { readFileSync } from 'node:fs'

/** One request as the API server's audit log tells of it. */
export interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource: string
    readonly subresource?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code: number }
  /** Why it was refused or not: `authorization.k8s.io/decision` is `allow` or `forbid`. */
  readonly annotations?: Readonly<Record<string, string>>
  readonly requestReceivedTimestamp: string
}

/** What a user asked for so far. The server writes in batches, a second late at most. */
export const readAudit = (file: string, user: string): ReadonlyArray<AuditEvent> =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}') && line.includes(user))
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter((event) => event.user.username === user)

/** `patch karpenter.sh/nodeclaims/status`: what a role would have to grant. */
export const accessOf = ({ verb, objectRef }: AuditEvent): string =>
  `${verb} ${objectRef?.apiGroup ?? ''}/${objectRef?.resource ?? ''}${objectRef?.subresource === undefined ? '' : `/${objectRef.subresource}`}`

/** Whether a right was missing; what is created in a namespace that is being deleted is refused with 403 as well. */
export const isForbidden = ({ annotations }: AuditEvent): boolean =>
  annotations?.['authorization.k8s.io/decision'] === 'forbid'

const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection'])

export const isWrite = ({ verb }: AuditEvent): boolean => writes.has(verb)
