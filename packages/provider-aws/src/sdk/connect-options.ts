/** How to reach AWS. */
export interface ConnectOptions {
  /** Empty: as the SDK finds it. */
  readonly region: string
  /** One address for all services; empty: AWS itself. */
  readonly endpoint: string
  readonly userAgent: string
  /** Instead of the default chain; for emulators. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly nowMs: () => number
  /** Told of every call once it has ended; `code` is the error's, or 200. */
  readonly observe?: (request: ObservedRequest) => void
}

export interface ObservedRequest {
  readonly action: string
  readonly code: string
  readonly durationMs: number
}
