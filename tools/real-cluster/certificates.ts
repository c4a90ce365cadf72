import { generateKeyPairSync, webcrypto } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
// What x509 builds on asks for it to be loaded first.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

/** What of a control plane speaks for itself with a certificate of its own. */
export const clients = {
  admin: 'CN=admin, O=system:masters',
  'kube-controller-manager': 'CN=system:kube-controller-manager',
  'kube-scheduler': 'CN=system:kube-scheduler',
} as const

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const lifetimeMs = 7 * 24 * 3_600_000
const serverNames: ReadonlyArray<{ readonly type: 'ip' | 'dns'; readonly value: string }> = [
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '10.96.0.1' },
  { type: 'dns', value: 'localhost' },
  { type: 'dns', value: 'kubernetes' },
  { type: 'dns', value: 'kubernetes.default' },
  { type: 'dns', value: 'kubernetes.default.svc' },
]

/**
 * Writes a throw-away certificate authority, a server certificate, one for each client, and the key pair that signs
 * service account tokens into the directory, and a kubeconfig for each client.
 */
export const writeCertificates = async (directory: string, server: string): Promise<void> => {
  x509.cryptoProvider.set(webcrypto)
  const authority = await makeAuthority()
  const write = (file: string, text: string) => writeFileSync(join(directory, file), text, { mode: 0o600 })
  write('ca.crt', authority.certificate.toString('pem'))
  const issue = async (file: string, subject: string, extensions: ReadonlyArray<x509.Extension>) => {
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(),
      subject,
      issuer: authority.certificate.subject,
      publicKey: keys.publicKey,
      signingKey: authority.keys.privateKey,
      signingAlgorithm: algorithm,
      extensions: [...extensions],
    })
    write(`${file}.crt`, certificate.toString('pem'))
    write(`${file}.key`, await privateKeyPem(keys))
  }
  const { serverAuth, clientAuth } = x509.ExtendedKeyUsage
  // The API server presents it to clients and to kubelets alike.
  await issue('apiserver', 'CN=kube-apiserver', [
    new x509.ExtendedKeyUsageExtension([serverAuth, clientAuth]),
    new x509.SubjectAlternativeNameExtension([...serverNames]),
  ])
  for (const [name, subject] of Object.entries(clients)) {
    await issue(name, subject, [new x509.ExtendedKeyUsageExtension([clientAuth])])
    write(`${name}.kubeconfig`, kubeconfig(directory, server, name))
  }
  const tokens = generateKeyPairSync('rsa', { modulusLength: 2048 })
  write('sa.key', tokens.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
  write('sa.pub', tokens.publicKey.export({ type: 'spki', format: 'pem' }).toString())
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>

const privateKeyPem = async (keys: webcrypto.CryptoKeyPair): Promise<string> => {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY')
}

const validity = () => {
  const now = Date.now()
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + lifetimeMs) }
}

const makeAuthority = async () => {
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(),
    name: 'CN=scantling-test',
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  })
  return { keys, certificate }
}

const kubeconfig = (directory: string, server: string, user: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    contexts: [{ name: 'test', context: { cluster: 'test', user } }],
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority': join(directory, 'ca.crt') } }],
    users: [
      {
        name: user,
        user: {
          'client-certificate': join(directory, `${user}.crt`),
          'client-key': join(directory, `${user}.key`),
        },
      },
    ],
  })
