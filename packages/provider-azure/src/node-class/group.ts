/** API group of AKSNodeClass, and the domain of its labels and annotations. */
export const azureGroup = 'karpenter.azure.com'
