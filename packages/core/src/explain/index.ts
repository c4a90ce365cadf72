/** Plans and rejections in words, for events, logs and the command line. Nothing here decides anything. */
export { renderAmounts, renderReason } from './reason.ts'
export { groupRejections, renderReasons, renderRejection, renderRejectionTable } from './rejection.ts'
export { utilization } from './utilization.ts'
export { counted, renderPrice, renderSummary } from './summary.ts'
export { renderBlocked } from './blocked.ts'
export { renderTable } from './table.ts'
