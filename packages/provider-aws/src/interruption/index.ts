/** What happens to instances from outside: messages of the queue, status checks, scheduled maintenance. */
export { instanceStatusTask } from './instance-status.ts'
export { interruptionQueue } from './queue.ts'
