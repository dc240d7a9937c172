#!/usr/bin/env bash
# Installs the Bicep compiler from NuGet and prints its path, for where `az bicep install` can't download one:
#
#   export BICEP="$(bash scripts/ci-bicep.sh)"
#
# The package holds one self-contained binary that needs no .NET runtime; only fetching it needs the SDK (`dotnet restore`).
set -euo pipefail

version=0.47.16
case "$(uname -m)" in
  x86_64) runtime=linux-x64 ;;
  aarch64) runtime=linux-arm64 ;;
  *)
    echo "ci-bicep.sh: no Bicep package for $(uname -m)" >&2
    exit 1
    ;;
esac

folder="${BICEP_FOLDER:-$HOME/.cache/aci-proxy-bicep}/$version"
binary="$folder/azure.bicep.commandline.$runtime/$version/tools/bicep"
if [[ ! -x "$binary" ]]; then
  mkdir -p "$folder"
  cat >"$folder/bicep.csproj" <<XML
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>netstandard2.0</TargetFramework>
    <DisableImplicitFrameworkReferences>true</DisableImplicitFrameworkReferences>
    <AutomaticallyUseReferenceAssemblyPackages>false</AutomaticallyUseReferenceAssemblyPackages>
    <RestorePackagesPath>$folder</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Azure.Bicep.CommandLine.$runtime" Version="[$version]" />
  </ItemGroup>
</Project>
XML
  DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 dotnet restore "$folder/bicep.csproj" >&2
  chmod +x "$binary"
fi
"$binary" --version >&2
echo "$binary"
