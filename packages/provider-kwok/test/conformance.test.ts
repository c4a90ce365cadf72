import { describeCloudProvider } from '@scantling/conformance'
import { makeSubject } from './subject.ts'

const notSupported = [
  // KWOKNodeClass has nothing to resolve, to drift from or to hash, and machines carry their tags from the start.
  ...(['resolve', 'release', 'drift', 'converge', 'hash', 'changedManifest', 'missingManifest'] as const),
  // The simulated cloud shows what it has at once, and writes no message that cannot be read.
  ...(['garble', 'hideNew', 'sendGarbage'] as const),
  // It ends what it is told to: the shell names only what `list` showed, and `list` shows nothing of another cluster.
  'terminate/foreign',
]
describeCloudProvider('provider-kwok in one process', makeSubject('in-process'), { notSupported })
describeCloudProvider('provider-kwok over sockets', makeSubject('http'), { notSupported })
