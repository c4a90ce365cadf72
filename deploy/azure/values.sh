#!/usr/bin/env bash
# values.sh CLUSTER RESOURCE_GROUP IDENTITY SSH_PUBLIC_KEY_FILE [PROVISION_MODE [POOL]]
#
# Prints the values of the chart for a cluster of AKS, read from it with az and kubectl; changes nothing. IDENTITY is the
# name of the user-assigned identity that the controller acts as. PROVISION_MODE is aksscriptless (the default) or
# aksmachineapi, for which POOL is the agent pool that machines-pool.sh made.
# No secret is printed: the pod reads the token with which kubelets join, so the chart belongs into kube-system.
set -euo pipefail
[ $# -ge 4 ] || { sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cluster=$1 group=$2 identity=$3 key=$4 mode=${5:-aksscriptless} pool=${6:-machines}
case $mode in
  aksscriptless | aksmachineapi) ;;
  *) echo "PROVISION_MODE: Invalid value: \"$mode\": expected aksscriptless or aksmachineapi" >&2; exit 2 ;;
esac

ask() { az aks show --name "$cluster" --resource-group "$group" --query "$1" --output tsv; }
subnet=$(ask 'agentPoolProfiles[0].vnetSubnetId')
node_group=$(ask nodeResourceGroup)
# Where the cluster brought no network of its own, AKS made one beside the nodes.
case $subnet in
  '' | None) subnet=$(az network vnet list --resource-group "$node_group" --query '[0].subnets[0].id' --output tsv) ;;
esac
network=$(az network vnet show --ids "${subnet%/subnets/*}" --query resourceGuid --output tsv)
token=$(kubectl get secrets --namespace kube-system \
  --field-selector type=bootstrap.kubernetes.io/token --output 'jsonpath={.items[0].metadata.name}')
[ -n "$token" ] || { echo 'kube-system holds no token with which kubelets could join' >&2; exit 1; }

# variable NAME VALUE: quoted, for any of these may look like something else to YAML. What az leaves empty is "none".
variable() { [ -z "$2" ] || printf '    - name: %s\n      value: "%s"\n' "$1" "$2"; }
or_none() { case $1 in '' | None) echo none ;; *) echo "$1" ;; esac; }
cat <<VALUES
provider: azure
serviceAccount:
  annotations:
    azure.workload.identity/client-id: $(az identity show --name "$identity" --resource-group "$group" --query clientId --output tsv)
settings:
  clusterName: $cluster
  clusterEndpoint: https://$(ask 'privateFqdn || fqdn'):443
controller:
  env:
    - name: TOKEN_ID
      valueFrom: { secretKeyRef: { name: $token, key: token-id } }
    - name: TOKEN_SECRET
      valueFrom: { secretKeyRef: { name: $token, key: token-secret } }
VALUES
variable KUBELET_BOOTSTRAP_TOKEN '$(TOKEN_ID).$(TOKEN_SECRET)'
variable SSH_PUBLIC_KEY "$(cat "$key")"
variable AZURE_SUBSCRIPTION_ID "$(az account show --query id --output tsv)"
variable LOCATION "$(ask location)"
variable ARM_RESOURCE_GROUP "$group"
variable AZURE_NODE_RESOURCE_GROUP "$node_group"
variable VNET_SUBNET_ID "$subnet"
variable VNET_GUID "$network"
variable NETWORK_PLUGIN "$(or_none "$(ask networkProfile.networkPlugin)")"
variable NETWORK_PLUGIN_MODE "$(or_none "$(ask networkProfile.networkPluginMode)")"
variable NETWORK_POLICY "$(or_none "$(ask networkProfile.networkPolicy)")"
variable NETWORK_DATAPLANE "$(or_none "$(ask networkProfile.networkDataplane)")"
variable NODE_IDENTITIES "$(ask identityProfile.kubeletidentity.resourceId)"
variable KUBELET_IDENTITY_CLIENT_ID "$(ask identityProfile.kubeletidentity.clientId)"
variable PROVISION_MODE "$mode"
if [ "$mode" = aksmachineapi ]; then
  variable AKS_MACHINES_POOL_NAME "$pool"
  variable USE_SIG true
  # AKS keeps the images of its nodes there.
  variable SIG_SUBSCRIPTION_ID 109a5e88-712a-48ae-9078-9ca8b3c81345
fi
