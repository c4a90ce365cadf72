export {
  convertManifests,
  isOldForm,
  replacementOf,
  type ConvertedManifests,
  type ManifestNote,
} from './convert-manifests.ts'
export type { Manifest } from './manifest.ts'
