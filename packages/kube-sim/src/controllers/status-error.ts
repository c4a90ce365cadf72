import { StatusError } from '../face.ts'

/** Whether the object that a call was about is not there. */
export const isNotFound = (error: unknown): boolean => error instanceof StatusError && error.code === 404

/** Whether somebody else was quicker: the object changed, exists already, or is another one by now. */
export const isConflict = (error: unknown): boolean => error instanceof StatusError && error.code === 409

/** Waits for a call whose object may be gone by now, which is as good as done. */
export const unlessGone = async (call: Promise<unknown>): Promise<void> => {
  try {
    await call
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
