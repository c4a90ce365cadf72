/** What an EC2NodeClass names: found, checked, and reported as its status. */
export { imageFinder } from './image-finder.ts'
export { parameters } from './parameters.ts'
export { probes } from './probes.ts'
export { resolver } from './resolver.ts'
