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

{{/* Gates as the flag takes them: NodeRepair=false,… */}}
{{- define "scantling.featureGates" -}}
{{- $gates := list }}
{{- range $name, $isOn := .Values.settings.featureGates }}
{{- $gates = append $gates (printf "%s%s=%t" (substr 0 1 $name | upper) (substr 1 -1 $name) $isOn) }}
{{- end }}
{{- join "," $gates }}
{{- end }}
