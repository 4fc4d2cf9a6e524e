import { constants, createHmac, createSign, type KeyObject, sign } from 'node:crypto';

/** What a forger may know: everything that is public, and here also the secrets, so that each forgery is wrong in one thing only. */
export interface ForgeryContext {
  readonly nowSeconds: number;
  /** Whom good tokens of the server speak for. */
  readonly userId: string;
  /** The server's own HS256 secret. */
  readonly secret: string;
  /** Keys that the server finds at its JWKS address, by these ids; for a server without one, any keys. */
  readonly rsa: KeyPair;
  readonly ec: KeyPair;
  readonly ed: KeyPair;
  /** A good token that the server issued itself, bound to nothing but its user. */
  readonly issued: string;
  /** Another application with an HS256 secret of its own. */
  readonly other: { readonly id: string; readonly secret: string };
}

export interface KeyPair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** A token that no server may accept, and what is wrong with it. */
export interface Forgery {
  readonly name: string;
  make(context: ForgeryContext): string;
}

type Json = Readonly<Record<string, unknown>>;

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' || Buffer.isBuffer(part) ? part : JSON.stringify(part)).toString('base64url');

/** Claims that are right. */
export const goodClaims = ({ nowSeconds, userId }: ForgeryContext): Json => ({ sub: userId, iat: nowSeconds, exp: nowSeconds + 600 });

/** Signs whatever it is given by HMAC, as a careless or hostile issuer would. Texts are taken as JSON already written. */
export function forgeHmac(parts: { header?: unknown; claims: unknown; secret: string | Buffer; hash?: string }): string {
  const { header = { alg: 'HS256', typ: 'JWT' }, claims, secret, hash = 'sha256' } = parts;
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${createHmac(hash, secret).update(signed).digest('base64url')}`;
}

/** Signs with a private key as the algorithm in the header asks, whether or not it fits. */
export function forgeSigned(parts: { header: Json; claims: unknown; key: KeyObject; der?: boolean }): string {
  const { header, claims, key, der = false } = parts;
  const signed = `${encode(header)}.${encode(claims)}`;
  return `${signed}.${signatureOf(Buffer.from(signed), { alg: String(header.alg), key, der }).toString('base64url')}`;
}

function signatureOf(data: Buffer, { alg, key, der }: { alg: string; key: KeyObject; der: boolean }): Buffer {
  if (key.asymmetricKeyType === 'ed25519') return sign(null, data, key);
  const hash = `sha${alg.slice(2)}`;
  if (key.asymmetricKeyType === 'ec')
    return createSign(hash)
      .update(data)
      .sign({ key, dsaEncoding: der ? 'der' : 'ieee-p1363' });
  if (!alg.startsWith('PS')) return createSign(hash).update(data).sign(key);
  return createSign(hash)
    .update(data)
    .sign({ key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST });
}

/** The parts of a token, still encoded. */
export function partsOf(token: string): { header: string; payload: string; signature: string } {
  const [header = '', payload = '', signature = ''] = token.split('.');
  return { header, payload, signature };
}
