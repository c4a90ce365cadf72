#!/usr/bin/env bash
# machines-pool.sh CLUSTER RESOURCE_GROUP [POOL]
#
# Makes the agent pool that holds the machines of PROVISION_MODE=aksmachineapi; it costs nothing while it is empty.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
id=$(az aks show --name "$1" --resource-group "$2" --query id --output tsv)
az rest --method put --url "https://management.azure.com$id/agentPools/${3:-machines}?api-version=2025-07-01" \
  --body '{"properties":{"mode":"Machines"}}'
