import { webcrypto } from 'node:crypto'
// What x509 builds on asks for it to be loaded first.
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'

export interface ServerCertificate {
  readonly key: string
  readonly cert: string
  /** The throw-away authority, which clients are told to trust. */
  readonly ca: string
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const lifetimeMs = 24 * 3_600_000

/** A certificate for this machine from an authority that is made for it and forgotten. */
export const makeCertificate = async (): Promise<ServerCertificate> => {
  x509.cryptoProvider.set(webcrypto)
  const now = Date.now()
  const validity = { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + lifetimeMs) }
  const authorityKeys = await newKeys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    name: 'CN=ARM emulator',
    keys: authorityKeys,
    signingAlgorithm: algorithm,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  })
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: 'CN=127.0.0.1',
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'dns', value: 'localhost' },
      ]),
    ],
  })
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    key: x509.PemConverter.encode(bytes, 'PRIVATE KEY'),
    cert: certificate.toString('pem'),
    ca: authority.toString('pem'),
  }
}

const newKeys = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
