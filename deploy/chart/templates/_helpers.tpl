{{- define "scantling.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "scantling.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "scantling.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "scantling.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "scantling.selectorLabels" -}}
app.kubernetes.io/name: {{ include "scantling.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "scantling.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "scantling.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.additionalLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What every object starts with; takes the root and, where it differs, name, namespace, labels and annotations. */}}
{{- define "scantling.metadata" -}}
name: {{ .name | default (include "scantling.fullname" .root) }}
{{- if not .isClusterWide }}
namespace: {{ .namespace | default .root.Release.Namespace }}
{{- end }}
labels:
  {{- include "scantling.labels" .root | nindent 2 }}
  {{- with .labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with mergeOverwrite (deepCopy .root.Values.additionalAnnotations) (.annotations | default dict) }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "scantling.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- .Values.serviceAccount.name | default (include "scantling.fullname" .) }}
{{- else }}
{{- required "serviceAccount.name is required where serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "scantling.provider" -}}
{{- if not (has .Values.provider (list "aws" "azure" "kwok")) }}
{{- fail (printf "provider: Invalid value: %q: expected aws, azure or kwok" .Values.provider) }}
{{- end }}
{{- .Values.provider }}
{{- end }}

{{- define "scantling.image" -}}
{{- $image := .Values.controller.image }}
{{- if regexMatch "karpenter/controller$" $image.repository }}
{{- fail (printf "controller.image.repository: Invalid value: %q: this is Karpenter's own image; leave controller.image out of a values file that moves over" $image.repository) }}
{{- end }}
{{- $image.repository }}:{{ $image.tag | default (printf "%s-%s" .Chart.AppVersion (include "scantling.provider" .)) }}
{{- with $image.digest }}@{{ . }}{{ end }}
{{- end }}

{{/* The affinity, with the selector of this release wherever one is left out. */}}
{{- define "scantling.affinity" -}}
{{- $selector := dict "matchLabels" (include "scantling.selectorLabels" . | fromYaml) }}
{{- $affinity := deepCopy .Values.affinity }}
{{- range $kind := list "podAffinity" "podAntiAffinity" }}
{{- with index $affinity $kind }}
{{- range .requiredDuringSchedulingIgnoredDuringExecution }}
{{- if not .labelSelector }}{{- $_ := set . "labelSelector" $selector }}{{- end }}
{{- end }}
{{- range .preferredDuringSchedulingIgnoredDuringExecution }}
{{- if not .podAffinityTerm.labelSelector }}{{- $_ := set .podAffinityTerm "labelSelector" $selector }}{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $affinity }}
{{- end }}

{{- define "scantling.topologySpreadConstraints" -}}
{{- $selector := dict "matchLabels" (include "scantling.selectorLabels" . | fromYaml) }}
{{- $constraints := list }}
{{- range .Values.topologySpreadConstraints }}
{{- $constraints = append $constraints (merge (dict) . (dict "labelSelector" $selector)) }}
{{- end }}
{{- toYaml $constraints }}
{{- end }}

{{/* Gates as the flag takes them: NodeRepair=false,… Takes the gates by their names in the values. */}}
{{- define "scantling.gates" -}}
{{- $gates := list }}
{{- range $name, $isOn := . }}
{{- if ne (toString $isOn) "" }}
{{- $gates = append $gates (printf "%s%s=%v" (substr 0 1 $name | upper) (substr 1 -1 $name) $isOn) }}
{{- end }}
{{- end }}
{{- join "," $gates }}
{{- end }}

{{- define "scantling.featureGates" -}}
{{- $gates := deepCopy .Values.settings.featureGates }}
{{- if and (eq (include "scantling.provider" .) "azure") (eq (toString $gates.reservedCapacity) "") }}
{{- $_ := set $gates "reservedCapacity" false }}
{{- end }}
{{- include "scantling.gates" $gates }}
{{- end }}

{{/* Variables of the settings that have a value, as a list with name and value. */}}
{{- define "scantling.settings" -}}
{{- $variables := dict
  "clusterEndpoint" "CLUSTER_ENDPOINT"
  "clusterCABundle" "CLUSTER_CA_BUNDLE"
  "batchMaxDuration" "BATCH_MAX_DURATION"
  "batchIdleDuration" "BATCH_IDLE_DURATION"
  "preferencePolicy" "PREFERENCE_POLICY"
  "minValuesPolicy" "MIN_VALUES_POLICY"
  "schedulerConfig" "SCHEDULER_CONFIG"
  "ignoreDRARequests" "IGNORE_DRA_REQUESTS"
  "disableClusterStateObservability" "DISABLE_CLUSTER_STATE_OBSERVABILITY"
  "metricsDetail" "METRICS_DETAIL"
  "enableProfiling" "ENABLE_PROFILING"
  "debugPort" "DEBUG_PORT"
}}
{{- $ofProvider := dict
  "aws" (dict
    "vmMemoryOverheadPercent" "VM_MEMORY_OVERHEAD_PERCENT"
    "interruptionQueue" "INTERRUPTION_QUEUE"
    "isolatedVPC" "ISOLATED_VPC"
    "eksControlPlane" "EKS_CONTROL_PLANE"
    "reservedENIs" "RESERVED_ENIS"
    "disableDryRun" "DISABLE_DRY_RUN"
    "enableZonalShift" "ENABLE_ZONAL_SHIFT"
    "amiRefreshInterval" "AMI_REFRESH_INTERVAL"
    "subnetRefreshInterval" "SUBNET_REFRESH_INTERVAL")
  "azure" (dict "vmMemoryOverheadPercent" "VM_MEMORY_OVERHEAD_PERCENT")
  "kwok" (dict)
}}
{{- $provider := include "scantling.provider" . }}
{{- $settings := .Values.settings }}
{{- range $setting, $name := merge $variables (index $ofProvider $provider) }}
{{- $value := tpl (toString (index $settings $setting)) $ }}
{{- if not (has $value (list "" "<nil>")) }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
- name: FEATURE_GATES
  value: {{ include "scantling.featureGates" . | quote }}
{{- if eq $provider "aws" }}
- name: AWS_FEATURE_GATES
  value: {{ include "scantling.gates" $settings.awsFeatureGates | quote }}
{{- end }}
{{- if and (eq $provider "azure") $settings.tags }}
{{- $tags := list }}
{{- range $key, $value := $settings.tags }}
{{- $tags = append $tags (printf "%s=%v" $key $value) }}
{{- end }}
- name: ADDITIONAL_TAGS
  value: {{ join "," $tags | quote }}
{{- end }}
{{- range $name, $value := $settings.provider }}
- name: {{ $name }}
  value: {{ tpl (toString $value) $ | quote }}
{{- end }}
{{- end }}
