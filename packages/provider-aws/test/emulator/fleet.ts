import { xmlAnswer, type AwsAnswer } from './answer.ts'
import { findAll, type Backend } from './backend.ts'
import type { CapacityReservation, EmulatedState } from './emulated.ts'
import { syntheticPrice, syntheticSpotPrice } from './prices.ts'
import { structuresOf, type AwsRequest } from './request.ts'
import { childOf, element, itemsOf, parseXml, textOf, type Element } from './xml.ts'

/** What the proxy remembers of an instance that it had started. */
export interface Launched {
  readonly id: string
  readonly atMs: number
  readonly reservation?: string
  /** Name of the launch template that it came from. */
  readonly template: string
}

interface Way {
  readonly config: number
  readonly template: string
  readonly override: ReadonlyMap<string, string>
  readonly instanceType: string
  readonly subnetId: string
  readonly zone: string
  readonly price: number
  readonly priority: number
}

/** The price of an offering as every part of the emulator has it. */
export const priceOf = (
  backend: Backend,
  state: EmulatedState,
  type: string,
  zone: string,
  capacityType: string,
): number => {
  const priced = backend.types.get(type)
  if (priced === undefined) return Infinity
  const onDemand = syntheticPrice(priced) * (state.priceFactors.get(type) ?? 1)
  return capacityType === 'spot' ? syntheticSpotPrice(onDemand, zone) : onDemand
}

/**
 * CreateFleet with what moto leaves out: shortages, full subnets, reservations, the choice among overrides, and errors.
 *
 * moto takes the first override whatever it costs, so it is shown the one that was chosen and no other.
 */
export const createFleet = async (
  request: AwsRequest,
  backend: Backend,
  state: EmulatedState,
  nowMs: number,
  reservationOf: (template: string) => string | undefined,
): Promise<{ readonly answer: AwsAnswer; readonly launched: ReadonlyArray<Launched> }> => {
  const { parameters } = request
  const target = parameters.get('TargetCapacitySpecification.DefaultTargetCapacityType') ?? 'on-demand'
  const capacityType = target === 'spot' ? 'spot' : 'on-demand'
  const isOfReservations = target === 'reserved-capacity' || target === 'capacity-block'
  const strategy = parameters.get(
    capacityType === 'spot' ? 'SpotOptions.AllocationStrategy' : 'OnDemandOptions.AllocationStrategy',
  )
  const ways = await waysOf(parameters, backend, state, capacityType)
  const byPreference = ways.toSorted((a, b) =>
    strategy?.endsWith('prioritized') ? a.priority - b.priority || a.price - b.price : a.price - b.price,
  )
  const failed: Array<{ readonly way: Way; readonly code: string }> = []
  let chosen: Way | undefined
  let reservation: CapacityReservation | undefined
  for (const way of byPreference) {
    const wanted = reservationOf(way.template)
    const isReserved = isOfReservations || wanted !== undefined
    reservation = isReserved ? reservationFor(state, way, wanted) : undefined
    const code =
      isReserved && reservation === undefined ? 'ReservationCapacityExceeded' : problemWith(way, state, capacityType)
    if (code === undefined) {
      chosen = way
      break
    }
    failed.push({ way, code })
  }
  const errors = itemsOf(
    'errorSet',
    failed.map(({ way, code }) => [
      element('launchTemplateAndOverrides', [overridesOf(way)]),
      element('lifecycle', capacityType),
      element('errorCode', code),
      element('errorMessage', `There is nothing of ${way.instanceType} in ${way.zone}: ${code}`),
    ]),
  )
  if (chosen === undefined)
    return {
      answer: xmlAnswer('CreateFleet', [element('fleetId', 'fleet-none'), errors, element('fleetInstanceSet', [])]),
      launched: [],
    }
  const { override, config } = chosen
  const body = new URLSearchParams()
  for (const [key, value] of parameters) if (!key.startsWith('LaunchTemplateConfigs.')) body.append(key, value)
  if (isOfReservations) body.set('TargetCapacitySpecification.DefaultTargetCapacityType', 'on-demand')
  const prefix = `LaunchTemplateConfigs.${config}.`
  for (const [key, value] of parameters)
    if (key.startsWith(`${prefix}LaunchTemplateSpecification.`))
      body.append(`LaunchTemplateConfigs.1.${key.slice(prefix.length)}`, value)
  for (const [key, value] of override) body.append(`LaunchTemplateConfigs.1.Overrides.1.${key}`, value)
  const answer = await backend.forward(request, body.toString())
  if (answer.status !== 200) return { answer, launched: [] }
  const ids = findAll(parseXml(answer.body), 'instanceIds').flatMap((list) => list.children.map(({ text }) => text))
  if (reservation !== undefined)
    state.capacityReservations.set(reservation.id, { ...reservation, available: reservation.available - ids.length })
  const own = reservation?.id
  return {
    answer: xmlAnswer('CreateFleet', [
      element('fleetId', textOf(parseXml(answer.body), 'fleetId')),
      errors,
      itemsOf(
        'fleetInstanceSet',
        ids.length === 0
          ? []
          : [
              [
                element(
                  'instanceIds',
                  ids.map((id) => element('item', id)),
                ),
                element('instanceType', chosen.instanceType),
                element('lifecycle', capacityType),
                element('launchTemplateAndOverrides', [overridesOf(chosen)]),
              ],
            ],
      ),
    ]),
    launched: ids.map((id) => ({
      id,
      atMs: nowMs,
      template: chosen.template,
      ...(own !== undefined && { reservation: own }),
    })),
  }
}

const waysOf = async (
  parameters: URLSearchParams,
  backend: Backend,
  state: EmulatedState,
  capacityType: string,
): Promise<ReadonlyArray<Way>> => {
  const ways: Array<Way> = []
  for (const [index] of structuresOf(parameters, 'LaunchTemplateConfigs').entries()) {
    const named = `LaunchTemplateConfigs.${index + 1}.LaunchTemplateSpecification.LaunchTemplateName`
    const template = parameters.get(named) ?? ''
    for (const override of structuresOf(parameters, `LaunchTemplateConfigs.${index + 1}.Overrides`)) {
      const instanceType = override.get('InstanceType') ?? ''
      const subnetId = override.get('SubnetId') ?? ''
      const zone = override.get('AvailabilityZone') ?? (await backend.zoneOfSubnet(subnetId))
      const price = priceOf(backend, state, instanceType, zone, capacityType)
      ways.push({
        config: index + 1,
        template,
        override,
        instanceType,
        subnetId,
        zone,
        price,
        priority: Number(override.get('Priority') ?? 0),
      })
    }
  }
  return ways
}

const problemWith = (
  { instanceType, zone, subnetId }: Way,
  state: EmulatedState,
  capacityType: string,
): string | undefined => {
  if (state.fullSubnets.has(subnetId)) return 'InsufficientFreeAddressesInSubnet'
  const shortage = state.shortages.find(
    (each) =>
      (each.instanceType ?? instanceType) === instanceType &&
      (each.zone ?? zone) === zone &&
      (each.capacityType ?? capacityType) === capacityType,
  )
  return shortage && (shortage.code ?? 'InsufficientInstanceCapacity')
}

const reservationFor = (
  { capacityReservations }: EmulatedState,
  { instanceType, zone }: Way,
  wanted: string | undefined,
): CapacityReservation | undefined =>
  [...capacityReservations.values()].find(
    ({ id, available, ...each }) =>
      (wanted ?? id) === id && each.instanceType === instanceType && each.zone === zone && available > 0,
  )

const overridesOf = ({ instanceType, subnetId, zone, override }: Way): Element =>
  element('overrides', [
    element('instanceType', instanceType),
    element('subnetId', subnetId),
    element('availabilityZone', zone),
    ...(override.has('ImageId') ? [element('imageId', override.get('ImageId') ?? '')] : []),
    ...(override.has('Priority') ? [element('priority', override.get('Priority') ?? '')] : []),
  ])

/** DescribeInstances as it looks to whoever asks early, with reservations filled in. */
export const shownInstances = (
  body: string,
  launched: ReadonlyMap<string, Launched>,
  isHidden: (id: string) => boolean,
): Element => {
  const root = parseXml(body)
  const change = (instance: Element): ReadonlyArray<Element> => {
    const id = textOf(instance, 'instanceId')
    if (isHidden(id)) return []
    const reservation = launched.get(id)?.reservation
    return reservation === undefined
      ? [instance]
      : [
          {
            ...instance,
            children: [
              ...instance.children,
              element('capacityReservationId', reservation),
              element('capacityReservationSpecification', [
                element('capacityReservationPreference', 'capacity-reservations-only'),
                element('capacityReservationTarget', [element('capacityReservationId', reservation)]),
              ]),
            ],
          },
        ]
  }
  return {
    ...root,
    children: root.children.map((set) =>
      set.name !== 'reservationSet'
        ? set
        : {
            ...set,
            children: set.children.map((one) => ({
              ...one,
              children: one.children.map((part) =>
                part.name === 'instancesSet' ? { ...part, children: part.children.flatMap(change) } : part,
              ),
            })),
          },
    ),
  }
}

export const hasItems = (root: Element, name: string): boolean => (childOf(root, name)?.children.length ?? 0) > 0
