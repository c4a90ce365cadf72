/** Images: which family a class resolves to, which versions there are, and which a type boots. */
export * from './family.ts'
export * from './image-catalog.ts'
export * from './image-id.ts'
export * from './image-versions.ts'
export * from './kubernetes-version.ts'
export * from './maintenance-window.ts'
export * from './resolve-images.ts'
export * from './select-image.ts'
