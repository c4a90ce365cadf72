import type { VirtualMachineExtension } from '@azure/arm-compute'
import type { Labels } from '@scantling/core'
import type { AzureSettings } from '../settings.ts'

/** What Azure runs on a VM after it is made; by name. */
export interface Extension {
  readonly name: string
  readonly body: VirtualMachineExtension
}

export const billingExtensionName = 'computeAksLinuxBilling'
const bootstrapExtensionName = 'cse-agent-karpenter'

// Other clouds have no such publisher.
const cloudsWithBilling = ['', 'AzurePublicCloud', 'AzureChinaCloud', 'AzureUSGovernmentCloud', 'AzureUSGovernment']

/** The extension by which AKS counts the VM as its own; not in every cloud (Z-EXT-01). */
const billingExtension = (location: string, tags: Labels): Extension => ({
  name: billingExtensionName,
  body: {
    location,
    tags: { ...tags },
    publisher: 'Microsoft.AKS',
    typePropertiesType: 'Compute.AKS.Linux.Billing',
    typeHandlerVersion: '1.0',
    autoUpgradeMinorVersion: true,
    settings: {},
  },
})

/** The extension that runs what the bootstrapping service wrote (Z-EXT-02). */
const bootstrapExtension = (location: string, tags: Labels, command: string): Extension => ({
  name: bootstrapExtensionName,
  body: {
    location,
    tags: { ...tags },
    publisher: 'Microsoft.Azure.Extensions',
    typePropertiesType: 'CustomScript',
    typeHandlerVersion: '2.0',
    autoUpgradeMinorVersion: true,
    settings: {},
    protectedSettings: { commandToExecute: command },
  },
})

/** The names of the extensions of a VM, in the order in which they are made (Z-EXT-03). */
export const extensionNames = (settings: Pick<AzureSettings, 'cloud' | 'provisionMode'>): ReadonlyArray<string> => [
  ...(settings.provisionMode === 'bootstrappingclient' ? [bootstrapExtensionName] : []),
  ...(cloudsWithBilling.includes(settings.cloud) ? [billingExtensionName] : []),
]

/** An extension by its name. `command`: what the bootstrapping service wrote. */
export const extensionOf = (
  name: string,
  { location, tags, command }: { readonly location: string; readonly tags: Labels; readonly command: string },
): Extension =>
  name === bootstrapExtensionName ? bootstrapExtension(location, tags, command) : billingExtension(location, tags)

export { bootstrapExtensionName }
