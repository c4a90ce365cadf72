import type * as compute from '@azure/arm-compute'
import type * as network from '@azure/arm-network'
import type { CancelSignal, JsonObject } from '@scantling/core'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { NodeImageVersion } from '../image/index.ts'
import type { RetailPrice } from '../pricing/index.ts'
import type { ArmError } from './arm-error.ts'

/**
 * One operation of Azure: one request, retried where that is safe. Lists come whole, all pages of them.
 *
 * Errors: Left for whatever the service, the network or the credentials have to say; `Cancelled` once `signal` aborts.
 */
export type AzureCall<Input, Output> = (input: Input, signal: CancelSignal) => TaskEither<ArmError, Output>

/** A resource by its group and name. */
export interface Named {
  readonly resourceGroup: string
  readonly name: string
}

/**
 * What a request began that goes on after it was accepted.
 *
 * `statusUrl` is where its end is told; absent: it has ended. It survives the process, so that whoever comes next can ask.
 */
export interface Accepted<A> {
  readonly resource: A
  readonly statusUrl?: string
  readonly retryAfterMs?: number
}

/** How an operation stands. The error of one that failed is whole, with its details. */
export type OperationState =
  | { readonly _tag: 'Running'; readonly retryAfterMs?: number }
  | { readonly _tag: 'Succeeded' }
  | { readonly _tag: 'Failed'; readonly error: ArmError }

/** The calls of Compute that this provider makes. */
export interface ComputePort {
  /** `withInstanceView`: with what became of it, in Azure's words. */
  readonly getVm: AzureCall<Named & { readonly withInstanceView?: true }, compute.VirtualMachine>
  /** Accepted, not ready. `onlyIfAbsent`: a VM of that name is an error. */
  readonly putVm: AzureCall<
    Named & { readonly body: compute.VirtualMachine; readonly onlyIfAbsent?: true },
    Accepted<compute.VirtualMachine>
  >
  readonly updateVm: AzureCall<
    Named & { readonly body: compute.VirtualMachineUpdate },
    Accepted<compute.VirtualMachine>
  >
  /** Forced: what runs on it is not waited for. */
  readonly deleteVm: AzureCall<Named, Accepted<undefined>>
  readonly listVms: AzureCall<{ readonly resourceGroup: string }, ReadonlyArray<compute.VirtualMachine>>
  readonly putExtension: AzureCall<
    Named & { readonly extension: string; readonly body: compute.VirtualMachineExtension },
    Accepted<compute.VirtualMachineExtension>
  >
  readonly updateExtension: AzureCall<
    Named & { readonly extension: string; readonly body: compute.VirtualMachineExtensionUpdate },
    Accepted<compute.VirtualMachineExtension>
  >
  readonly listSkus: AzureCall<{ readonly location: string }, ReadonlyArray<compute.ResourceSku>>
  readonly listUsages: AzureCall<{ readonly location: string }, ReadonlyArray<compute.Usage>>
  readonly listCommunityImageVersions: AzureCall<
    { readonly location: string; readonly gallery: string; readonly definition: string },
    ReadonlyArray<compute.CommunityGalleryImageVersion>
  >
  readonly getDiskEncryptionSet: AzureCall<Named, compute.DiskEncryptionSet>
}

/** The calls of Network that this provider makes. */
export interface NetworkPort {
  readonly getNic: AzureCall<Named, network.NetworkInterface>
  readonly putNic: AzureCall<Named & { readonly body: network.NetworkInterface }, Accepted<network.NetworkInterface>>
  readonly updateNicTags: AzureCall<
    Named & { readonly tags: Readonly<Record<string, string>> },
    network.NetworkInterface
  >
  readonly deleteNic: AzureCall<Named, Accepted<undefined>>
  readonly listNics: AzureCall<{ readonly resourceGroup: string }, ReadonlyArray<network.NetworkInterface>>
  readonly getSubnet: AzureCall<Named & { readonly subnet: string }, network.Subnet>
  readonly getVnet: AzureCall<Named, network.VirtualNetwork>
  readonly listLoadBalancers: AzureCall<{ readonly resourceGroup: string }, ReadonlyArray<network.LoadBalancer>>
  readonly listSecurityGroups: AzureCall<
    { readonly resourceGroup: string },
    ReadonlyArray<network.NetworkSecurityGroup>
  >
}

/** A machine of AKS. The SDK's own type lacks most of what is sent and read, so it travels as JSON. */
export interface AksMachine {
  readonly id?: string
  readonly name?: string
  readonly zones?: ReadonlyArray<string>
  readonly properties?: JsonObject
}

/** The calls of Container Service that this provider makes, on one agent pool of one cluster. */
export interface ContainerServicePort {
  readonly getMachine: AzureCall<{ readonly name: string }, AksMachine>
  readonly listMachines: AzureCall<Readonly<Record<string, never>>, ReadonlyArray<AksMachine>>
  readonly putMachine: AzureCall<
    {
      readonly name: string
      readonly body: AksMachine
      readonly ifMatch?: string
      /** Text of the header that makes several machines of one request. */
      readonly batch?: string
    },
    Accepted<AksMachine>
  >
  readonly deleteMachines: AzureCall<{ readonly names: ReadonlyArray<string> }, Accepted<undefined>>
  readonly listNodeImageVersions: AzureCall<{ readonly location: string }, ReadonlyArray<NodeImageVersion>>
}

export interface ResourceGraphPort {
  /** Rows of all pages, as ARM objects. They lag behind by seconds, and their casing is not to be relied upon. */
  readonly query: AzureCall<{ readonly query: string }, ReadonlyArray<JsonObject>>
}

/** Services of Azure that are not ARM. */
export interface OtherServicesPort {
  readonly listPrices: AzureCall<{ readonly region: string }, ReadonlyArray<RetailPrice>>
  /** AKS' bootstrapping service; its answer is read by `readNodeBootstrapping`. */
  readonly nodeBootstrapping: AzureCall<{ readonly path: string; readonly body: JsonObject }, unknown>
}

/** Everything of Azure that this provider touches; the SDK's clients stay behind it. */
export interface AzurePorts {
  readonly compute: ComputePort
  readonly network: NetworkPort
  readonly containerService: ContainerServicePort
  readonly resourceGraph: ResourceGraphPort
  readonly others: OtherServicesPort
  /** Gets a token, or shows that nobody gives one. */
  readonly signIn: AzureCall<Readonly<Record<string, never>>, { readonly expiresAtMs: number }>
  /** How an operation stands, by the address that `Accepted` gave. */
  readonly operation: AzureCall<{ readonly statusUrl: string; readonly action: string }, OperationState>
}
