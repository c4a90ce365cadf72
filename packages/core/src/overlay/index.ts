/** NodeOverlays: corrections of prices and capacity, laid over what the provider says of instance types. */
export * from './evaluate-overlays.ts'
export * from './overlay-annotations.ts'
export * from './overlay-condition.ts'
export * from './price.ts'
