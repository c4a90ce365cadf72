/**
 * A type of the catalogue as its JSON states it: the format of the reference's kwok provider, with two additions that
 * its decoder ignores (`labels` and `overhead`).
 *
 * Quantities are Kubernetes text. The reference writes the fields of an offering with capitals and reads them in any
 * case; {@link readCatalog} takes both.
 */
export interface CatalogEntry {
  readonly name: string
  readonly architecture: string
  readonly operatingSystems: ReadonlyArray<string>
  readonly resources: Readonly<Record<string, string>>
  readonly offerings: ReadonlyArray<CatalogOffering>
  /** Further labels of every node of this type, such as `karpenter.k8s.aws/instance-family`. */
  readonly labels?: Readonly<Record<string, string>>
  /** What a node of this type keeps for itself. Absent: 100m of CPU and 10Mi of memory (K-03). */
  readonly overhead?: CatalogOverhead
}

export interface CatalogOffering {
  readonly Price: number
  readonly Available: boolean
  readonly Requirements: ReadonlyArray<{
    readonly key: string
    readonly operator: 'In'
    readonly values: ReadonlyArray<string>
  }>
}

export interface CatalogOverhead {
  readonly kubeReserved?: Readonly<Record<string, string>>
  readonly systemReserved?: Readonly<Record<string, string>>
  readonly evictionThreshold?: Readonly<Record<string, string>>
}
