import type { DescribeSpotPriceHistoryCommandInput, SpotPrice } from '@aws-sdk/client-ec2'

/** The prices of now, for Linux (A-PRC-08). */
export const spotQuery = (nowMs: number): DescribeSpotPriceHistoryCommandInput => ({
  ProductDescriptions: ['Linux/UNIX', 'Linux/UNIX (Amazon VPC)'],
  StartTime: new Date(nowMs),
  MaxResults: 2000,
})

/** The newest price of each type in each zone; entries without a time are passed over. */
export const readSpotPrices = (history: ReadonlyArray<SpotPrice>): ReadonlyMap<string, ReadonlyMap<string, number>> => {
  const newest = new Map<string, Map<string, { readonly atMs: number; readonly price: number }>>()
  for (const { InstanceType, AvailabilityZone, SpotPrice: text, Timestamp } of history) {
    const price = Number(text ?? Number.NaN)
    if (InstanceType === undefined || AvailabilityZone === undefined || Timestamp === undefined) continue
    if (!Number.isFinite(price) || price <= 0) continue
    const zones = newest.get(InstanceType) ?? new Map<string, { atMs: number; price: number }>()
    newest.set(InstanceType, zones)
    const atMs = Timestamp.getTime()
    if (atMs >= (zones.get(AvailabilityZone)?.atMs ?? -Infinity)) zones.set(AvailabilityZone, { atMs, price })
  }
  return new Map(
    [...newest].map(([type, zones]) => [type, new Map([...zones].map(([zone, { price }]) => [zone, price]))]),
  )
}
