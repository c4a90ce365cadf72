/**
 * What Azure, or we on it, do not do:
 * - `release`: nothing is made for a class;
 * - `interruptions`, `interrupt`, `sendGarbage`: there is no queue of them;
 * - `changePrice`: a size has one price for all its zones;
 * - `hideNew`: reads of Compute and of AKS show what was just made;
 * - `launch/marks`: what is sold out closes larger sizes of its family too (Z-UNAV-01);
 * - `launch/owner`: nodes bear no tag of their class, as with the reference;
 * - `module/metrics`: one counter keeps the name that the reference gave it.
 */
export const notSupported = [
  'release',
  'interruptions',
  'interrupt',
  'sendGarbage',
  'changePrice',
  'hideNew',
  'launch/marks',
  'launch/owner',
  'module/metrics',
] as const
