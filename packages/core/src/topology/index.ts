/** Where pods are and may go by topology domain: interned requirement sets and the groups that count pods. */
export { DomainSpace, type DomainView } from './domains.ts'
export { DomainUniverse, type PoolOffer } from './domain-universe.ts'
export { NodeFilter } from './node-filter.ts'
export { RequirementTable, signatureOf, type Demand, type RequirementSet, type Supply } from './requirement-table.ts'
export { Topology, type CountedNode, type CountedPod, type LeavingNode, type TopologySubject } from './topology.ts'
export { TopologyGroup, type TopologyKind, type TopologyRule } from './topology-group.ts'
