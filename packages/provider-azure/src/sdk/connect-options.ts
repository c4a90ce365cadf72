/** A token for a scope, as the SDK's credentials give it. */
export interface TokenSource {
  readonly getToken: (
    scopes: string | string[],
    options?: object,
  ) => Promise<{ readonly token: string; readonly expiresOnTimestamp: number } | null>
}

/** How to reach Azure. */
export interface ConnectOptions {
  readonly subscriptionId: string
  /** Empty: as the credentials say. */
  readonly tenantId?: string
  /** Who gives out tokens; absent: who does in the public cloud. */
  readonly authorityHost?: string
  readonly clusterResourceGroup: string
  readonly clusterName: string
  /** The agent pool of machines; empty: none. */
  readonly machinesPool: string
  /** Address of Resource Manager; empty: that of the public cloud. */
  readonly endpoint: string
  /** What tokens are asked for; empty: the endpoint's default. */
  readonly scope: string
  readonly priceList: string
  /** The service that renders bootstrap data; empty: none. */
  readonly nodeBootstrappingUrl: string
  readonly userAgent: string
  /** Instead of the SDK's chain; for emulators. */
  readonly credential?: TokenSource
  /** Authority that signed the endpoint's certificate, in PEM; for emulators. */
  readonly trustedCa?: string
  /** A token that shared image galleries of another tenant ask for beside ours (Z-VM-16). */
  readonly auxiliaryToken?: () => Promise<string | undefined>
  readonly nowMs: () => number
  /** Told of every request once it has ended; `code` is the error's, or the status. */
  readonly observe?: (request: ObservedRequest) => void
}

export interface ObservedRequest {
  readonly action: string
  readonly code: string
  readonly durationMs: number
}
