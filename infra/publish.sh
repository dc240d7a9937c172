#!/usr/bin/env bash
# Builds the app's package, deploys it to the Function App of a resource group, and puts the host's key into the vault.
#
#   bash infra/publish.sh RESOURCE-GROUP
#
# For those who deploy with the Azure CLI; `azd up` does all this by itself.
set -euo pipefail

group="${1:?Usage: bash infra/publish.sh RESOURCE-GROUP}"
cd "$(dirname "$0")/.."

subscription="$(az account show --query id --output tsv)"
app="$(az functionapp list --resource-group "$group" --query "[?tags.\"azd-service-name\" == 'app'].name | [0]" --output tsv)"
if [[ -z "$app" ]]; then
  echo "Resource group $group has no Function App yet: deploy infra/main.bicep first." >&2
  exit 1
fi

if [[ ! -d node_modules ]]; then npm ci; fi
npm run package
az functionapp deployment source config-zip --resource-group "$group" --name "$app" --src .local/package/aci-proxy.zip
npx tsx scripts/after-deploy.ts "$subscription" "$group"
