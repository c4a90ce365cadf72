const orphanLivesMs = 3000

/*
 * Loaded into each process of the embedded cluster before its own entry: when the pipe that its parent holds closes, the
 * parent is gone, however it went, and nobody would ever stop this process.
 */
process.stdin.on('close', () => {
  process.kill(process.pid, 'SIGTERM')
  // What it would finish in order has nobody left to talk to.
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), orphanLivesMs).unref()
})
process.stdin.resume()
// Waiting for that alone must not keep a process alive which has failed.
;(process.stdin as unknown as { readonly unref?: () => void }).unref?.()
