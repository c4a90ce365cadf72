/** Facts about a provider that the shell works by. */
export interface Traits {
  readonly repair?: ReadonlyArray<RepairPolicy>
  /** For claims whose NodePool states none. */
  readonly terminationGracePeriodMs?: number
  /** Topology keys and provisioners that the volumes of a pod may not name. */
  readonly unsupportedTopologyKeys?: ReadonlyArray<string>
  readonly unsupportedProvisioners?: ReadonlyArray<string>
  /** Collect unclaimed instances this old. Default: 300,000. */
  readonly orphanAfterMs?: number
  /** `list` may miss instances this young. Default: 60,000. */
  readonly listLagMs?: number
  /** Outside of it: one warning, and work goes on. */
  readonly supportedKubernetes?: { readonly min: string; readonly max: string }
  /**
   * Machines of this provider run no kubelet: the shell makes a Node for each `running` instance, named by the end of
   * its provider id, and turns it NotReady when the instance vanishes.
   */
  readonly kubelet?: 'simulated'
}

/** A node condition that, held this long, has the node replaced (P-CPI-05). */
export interface RepairPolicy {
  readonly conditionType: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly tolerationMs: number
  /** Given one, the condition is an interruption: no gate, no breaker, and pods are drained by then. Epoch time. */
  readonly deadlineMs?: (condition: {
    readonly reason: string
    readonly message: string
    readonly lastTransitionAtMs: number
  }) => number | undefined
  /**
   * Only what has a deadline counts, and only for nodes whose NodePool asks for it by `scantling.sh/rebalance: replace`:
   * the machine may survive what is announced.
   */
  readonly isAdvice?: true
}
