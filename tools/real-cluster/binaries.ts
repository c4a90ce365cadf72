import { join } from 'node:path'
import { findBuilt } from '../built-from-go.ts'

/**
 * The directory with etcd, kube-apiserver, kube-controller-manager, kube-scheduler, kubectl, kwok and its stages.
 *
 * Cost: some seven minutes on two cores the first time, 430 MB.
 */
export const findControlPlane = (say: (line: string) => void) =>
  findBuilt(
    {
      title: 'a Kubernetes control plane',
      name: 'control-plane',
      directory: import.meta.dirname,
      sources: ['kubernetes/go.mod', 'kubernetes/go.sum'],
    },
    say,
  )

/** The directory with the reference's own controller, `kwok`, which brings a simulated provider of its own. */
export const findReference = (say: (line: string) => void) =>
  findBuilt(
    {
      title: "The reference's controller",
      name: 'reference-controller',
      directory: join(import.meta.dirname, 'reference'),
      sources: ['go.mod', 'go.sum'],
    },
    say,
  )
