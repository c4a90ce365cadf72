/** Where prices are asked for: the service answers in four regions alone (A-PRC-06). */
export const pricingRegionOf = (region: string): string =>
  region.startsWith('ap-')
    ? 'ap-south-1'
    : region.startsWith('cn-')
      ? 'cn-northwest-1'
      : region.startsWith('eu-')
        ? 'eu-central-1'
        : 'us-east-1'

/** The domain of a region's services. */
export const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')
