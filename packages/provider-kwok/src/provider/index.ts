export { providerIdOf } from './instance.ts'
export { kwokNodeClass, type KwokNodeClass } from './node-class.ts'
export { createFrom, provider } from './provider.ts'
export { kwokSettings, type KwokSettings } from './settings.ts'
