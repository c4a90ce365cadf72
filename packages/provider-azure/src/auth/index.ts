/** Who the controller is to Azure, and which Azure it is. */
export { auxiliaryTokens } from './auxiliary-token.ts'
export { environmentOf, publicCloud, scopeOf, type AzureEnvironment } from './environment.ts'
