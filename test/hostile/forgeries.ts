import { createHash, generateKeyPairSync, hkdfSync, type KeyObject } from 'node:crypto';
import { encode, type Forgery, type ForgeryContext, forgeHmac, forgeSigned, goodClaims, partsOf } from './forge.ts';

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
const strangerEc = generateKeyPairSync('ec', { namedCurve: 'P-256' });

type Make = (context: ForgeryContext) => string;

/** A token that is good but for its header. */
const header =
  (fields: unknown): Make =>
  (context) =>
    forgeHmac({ header: fields, claims: goodClaims(context), secret: context.secret });

/** A token that is good but for its claims. */
const claims =
  (change: (context: ForgeryContext) => unknown): Make =>
  (context) => {
    const changed = change(context);
    return forgeHmac({
      claims: typeof changed === 'string' ? changed : { ...goodClaims(context), ...Object(changed) },
      secret: context.secret,
    });
  };

/** A good token, written differently. */
const rewritten =
  (change: (token: string, parts: ReturnType<typeof partsOf>) => string): Make =>
  (context) => {
    const token = forgeHmac({ claims: { ...goodClaims(context), pad: '???>>>~~~' }, secret: context.secret });
    return change(token, partsOf(token));
  };

const hs256 = { alg: 'HS256', typ: 'JWT' };
const unsigned = (alg: unknown): Make => header({ alg, typ: 'JWT' });

/** The spelling of "not signed" at all, with and without a signature. */
const none: Readonly<Record<string, Make>> = Object.fromEntries(
  ['none', 'None', 'NONE', 'nOnE', 'none ', 'none\0', '', 'null'].flatMap((alg) => [
    [`alg ${JSON.stringify(alg)} with a signature`, unsigned(alg)],
    [`alg ${JSON.stringify(alg)} with an empty signature`, (context) => unsigned(alg)(context).replace(/[^.]*$/, '')],
  ]),
);

const algorithms: Readonly<Record<string, Make>> = {
  'no alg': header({ typ: 'JWT' }),
  'alg null': unsigned(null),
  'alg as an array': unsigned(['HS256']),
  'alg as an object': unsigned({ HS256: true }),
  'alg true': unsigned(true),
  'alg in lower case': unsigned('hs256'),
  'alg with white space': unsigned(' HS256'),
  'alg HS384 signed so': (context) =>
    forgeHmac({ header: { alg: 'HS384' }, claims: goodClaims(context), secret: context.secret, hash: 'sha384' }),
  'alg HS512 signed so': (context) =>
    forgeHmac({ header: { alg: 'HS512' }, claims: goodClaims(context), secret: context.secret, hash: 'sha512' }),
  'alg RS256 signed by HMAC with the secret': unsigned('RS256'),
  'alg ES256 signed by HMAC with the secret': unsigned('ES256'),
  'alg EdDSA signed by HMAC with the secret': unsigned('EdDSA'),
  'alg of key wrapping': unsigned('A256KW'),
  'alg __proto__': header('{"__proto__":{"alg":"HS256"}}'),
  'alg twice': header('{"alg":"none","alg":"HS256"}'),
  'alg twice, once escaped': header('{"alg":"HS256","\\u0061lg":"none"}'),
};

/** A public key is known to everybody, so a signature made with its bytes as an HMAC secret proves nothing. */
const encodings: Readonly<Record<string, (key: KeyObject) => string | Buffer>> = {
  'SPKI PEM': (key) => key.export({ type: 'spki', format: 'pem' }),
  'SPKI PEM without its last line break': (key) => String(key.export({ type: 'spki', format: 'pem' })).trimEnd(),
  'SPKI PEM with CRLF': (key) => String(key.export({ type: 'spki', format: 'pem' })).replaceAll('\n', '\r\n'),
  'SPKI DER': (key) => key.export({ type: 'spki', format: 'der' }),
  'SPKI DER as base64': (key) => key.export({ type: 'spki', format: 'der' }).toString('base64'),
  JWK: (key) => JSON.stringify(key.export({ format: 'jwk' })),
  'bare number': (key) => Buffer.from(key.export({ format: 'jwk' }).n ?? key.export({ format: 'jwk' }).x ?? '', 'base64url'),
  'bare number as text': (key) => key.export({ format: 'jwk' }).n ?? key.export({ format: 'jwk' }).x ?? '',
};

const confusion: Readonly<Record<string, Make>> = Object.fromEntries(
  Object.entries(encodings).flatMap(([name, encoding]) =>
    (['rsa', 'ec'] as const).flatMap((kind): [string, Make][] => [
      [
        `HMAC with the public ${kind} key as ${name}`,
        (context) => forgeHmac({ claims: goodClaims(context), secret: encoding(context[kind].publicKey) }),
      ],
      [
        `HMAC with the public ${kind} key as ${name} and its kid`,
        (context) =>
          forgeHmac({
            header: { ...hs256, kid: context[kind].kid },
            claims: goodClaims(context),
            secret: encoding(context[kind].publicKey),
          }),
      ],
    ]),
  ),
);

const keyChoice: Readonly<Record<string, Make>> = {
  ...Object.fromEntries(
    ['../../dev/null', '/dev/null', "' UNION SELECT 'key", 'x'.repeat(4096), '', '__proto__', 'constructor', '0', '\0', 'polylogue'].map(
      (kid) => [`kid ${JSON.stringify(kid.slice(0, 20))}`, header({ ...hs256, kid })],
    ),
  ),
  'kid as a number': header({ ...hs256, kid: 1 }),
  'kid null': header({ ...hs256, kid: null }),
  'kid as an array': header({ ...hs256, kid: ['polylogue'] }),
  'kid /dev/null signed with nothing': (context) =>
    forgeHmac({ header: { ...hs256, kid: '/dev/null' }, claims: goodClaims(context), secret: '' }),
  jku: header({ ...hs256, jku: 'http://127.0.0.1:1/jwks.json' }),
  x5u: header({ ...hs256, x5u: 'file:///etc/passwd' }),
  'jwk with the secret itself': (context) => header({ ...hs256, jwk: { kty: 'oct', k: encode(context.secret) } })(context),
  'jwk of a stranger, signed by him': (context) =>
    forgeSigned({
      header: { alg: 'RS256', jwk: stranger.publicKey.export({ format: 'jwk' }) },
      claims: goodClaims(context),
      key: stranger.privateKey,
    }),
  x5c: header({ ...hs256, x5c: ['MIIB'] }),
  x5t: header({ ...hs256, x5t: 'AAAA' }),
  'crit with something unknown': header({ ...hs256, crit: ['exp'] }),
  'crit empty': header({ ...hs256, crit: [] }),
  'unencoded payload': header({ ...hs256, crit: ['b64'], b64: false }),
  'b64 without crit': header({ ...hs256, b64: true }),
  zip: header({ ...hs256, zip: 'DEF' }),
  enc: header({ ...hs256, enc: 'A256GCM' }),
  'typ of a refresh token': header({ ...hs256, typ: 'refresh+jwt' }),
  'typ of a logout token': header({ ...hs256, typ: 'logout+jwt' }),
  'typ of a proof of possession': header({ ...hs256, typ: 'dpop+jwt' }),
  'typ as an array': header({ ...hs256, typ: ['JWT'] }),
};

const signatures: Readonly<Record<string, Make>> = {
  'signed with nothing': (context) => forgeHmac({ claims: goodClaims(context), secret: '' }),
  'signed with the word secret': (context) => forgeHmac({ claims: goodClaims(context), secret: 'secret' }),
  "signed with the secret's hash": (context) =>
    forgeHmac({ claims: goodClaims(context), secret: createHash('sha256').update(context.secret).digest('hex') }),
  'signed with the secret and a line break': (context) => forgeHmac({ claims: goodClaims(context), secret: `${context.secret}\n` }),
  'payload exchanged': rewritten((_token, { header: head, signature }) => `${head}.${encode({ sub: 'root', exp: 9e9 })}.${signature}`),
  'signature cut short': rewritten((token) => token.slice(0, -2)),
  'signature doubled': rewritten((token, { signature }) => token + signature),
  'signature of zeros': rewritten((_token, { header: head, payload }) => `${head}.${payload}.${encode(Buffer.alloc(32))}`),
  'signature with a bit flipped': rewritten((_token, { header: head, payload, signature }) => {
    const bytes = Buffer.from(signature, 'base64url');
    bytes.writeUInt8(bytes.readUInt8(7) ^ 16, 7);
    return `${head}.${payload}.${encode(bytes)}`;
  }),
  'RS256 by a stranger with the right kid': (context) =>
    forgeSigned({ header: { alg: 'RS256', kid: context.rsa.kid }, claims: goodClaims(context), key: stranger.privateKey }),
  'RS256 by a stranger without kid': (context) =>
    forgeSigned({ header: { alg: 'RS256' }, claims: goodClaims(context), key: stranger.privateKey }),
  'RS256 by the right key under another kid': (context) =>
    forgeSigned({ header: { alg: 'RS256', kid: context.ec.kid }, claims: goodClaims(context), key: context.rsa.privateKey }),
  'ES256 by a stranger with the right kid': (context) =>
    forgeSigned({ header: { alg: 'ES256', kid: context.ec.kid }, claims: goodClaims(context), key: strangerEc.privateKey }),
  'ES256 in DER': (context) =>
    forgeSigned({ header: { alg: 'ES256', kid: context.ec.kid }, claims: goodClaims(context), key: context.ec.privateKey, der: true }),
  'ES256 with r = s = 0': (context) =>
    `${encode({ alg: 'ES256', kid: context.ec.kid })}.${encode(goodClaims(context))}.${encode(Buffer.alloc(64))}`,
  'EdDSA with a signature of zeros': (context) =>
    `${encode({ alg: 'EdDSA', kid: context.ed.kid })}.${encode(goodClaims(context))}.${encode(Buffer.alloc(64))}`,
  'RS256 that says PS256': (context) => {
    const signed = forgeSigned({
      header: { alg: 'RS256', kid: context.rsa.kid },
      claims: goodClaims(context),
      key: context.rsa.privateKey,
    });
    const { payload, signature } = partsOf(signed);
    return `${encode({ alg: 'PS256', kid: context.rsa.kid })}.${payload}.${signature}`;
  },
  'RS256 by the right key, expired': (context) =>
    forgeSigned({
      header: { alg: 'RS256', kid: context.rsa.kid },
      claims: { ...goodClaims(context), iat: 0, exp: context.nowSeconds - 3600 },
      key: context.rsa.privateKey,
    }),
  'RS256 by the right key with a jku beside it': (context) =>
    forgeSigned({
      header: { alg: 'RS256', kid: context.rsa.kid, jku: 'https://127.0.0.1:1/' },
      claims: goodClaims(context),
      key: context.rsa.privateKey,
    }),
};

const times: Readonly<Record<string, Make>> = {
  'no exp': claims(() => ({ exp: undefined })),
  'exp long over': claims(({ nowSeconds }) => ({ iat: nowSeconds - 7200, exp: nowSeconds - 3600 })),
  'exp over by a second beyond the tolerance': claims(({ nowSeconds }) => ({ iat: nowSeconds - 7200, exp: nowSeconds - 31 })),
  'exp negative': claims(() => ({ exp: -1 })),
  'exp zero': claims(() => ({ exp: 0 })),
  'exp as text': claims(({ nowSeconds }) => ({ exp: String(nowSeconds + 600) })),
  'exp null': claims(() => ({ exp: null })),
  'exp true': claims(() => ({ exp: true })),
  'exp as an array': claims(({ nowSeconds }) => ({ exp: [nowSeconds + 600] })),
  'exp infinite': claims(({ userId }) => `{"sub":${JSON.stringify(userId)},"exp":1e999}`),
  'nbf to come': claims(({ nowSeconds }) => ({ nbf: nowSeconds + 3600 })),
  'nbf as text': claims(() => ({ nbf: '0' })),
  'nbf infinite': claims(({ userId, nowSeconds }) => `{"sub":${JSON.stringify(userId)},"exp":${nowSeconds + 600},"nbf":-1e999}`),
  'iat to come': claims(({ nowSeconds }) => ({ iat: nowSeconds + 3600 })),
  'iat as text': claims(() => ({ iat: 'now' })),
};

const users: Readonly<Record<string, Make>> = {
  'no user': claims(() => ({ sub: undefined })),
  ...Object.fromEntries(
    [1, 0, [1], ['ann'], { $ne: 1 }, null, true, '', 'a\0b', 'x'.repeat(256)].flatMap((user) => {
      const shown = JSON.stringify(user).slice(0, 12);
      return [
        [`user_id ${shown}`, claims(() => ({ user_id: user }))],
        [`sub ${shown}`, claims(() => ({ sub: user }))],
      ];
    }),
  ),
  'sub with a lone surrogate': claims(({ nowSeconds }) => `{"sub":"a\\ud800","exp":${nowSeconds + 600}}`),
  'sub twice': claims(({ nowSeconds }) => `{"sub":"ann","sub":"root","exp":${nowSeconds + 600}}`),
  'sub twice, once escaped': claims(({ nowSeconds }) => `{"sub":"ann","s\\u0075b":"root","exp":${nowSeconds + 600}}`),
  'exp twice': claims(({ userId, nowSeconds }) => `{"sub":${JSON.stringify(userId)},"exp":${nowSeconds + 600},"exp":1}`),
};

const tenants: Readonly<Record<string, Make>> = {
  'an application that is unknown': claims(() => ({ application: 'nobody-has-this-one' })),
  'an empty application': claims(() => ({ application: '' })),
  'application null': claims(() => ({ application: null })),
  'application as an array': claims(() => ({ application: ['default'] })),
  'application in another case': claims(() => ({ application: 'Default' })),
  'application with SQL': claims(() => ({ application: "default' OR '1'='1" })),
  'application with NUL': claims(() => ({ application: 'default\0' })),
  "the server's secret for another application": claims(({ other }) => ({ application: other.id })),
  "another application's secret for the default one": (context) => forgeHmac({ claims: goodClaims(context), secret: context.other.secret }),
  "another application's secret, naming the default one": (context) =>
    forgeHmac({ claims: { ...goodClaims(context), application: 'default' }, secret: context.other.secret }),
};

/** The server's own tokens, and what claims to be one. */
const issued: Readonly<Record<string, Make>> = {
  'issued, for another user': ({ issued: token, userId }) => {
    const { header: head, payload, signature } = partsOf(token);
    const text = Buffer.from(payload, 'base64url').toString().replace(JSON.stringify(userId), '"root"');
    return `${head}.${encode(text)}.${signature}`;
  },
  'issued, without its key id': ({ issued: token }) => {
    const { payload, signature } = partsOf(token);
    return `${encode(hs256)}.${payload}.${signature}`;
  },
  'issued, signed again with the secret': ({ issued: token, secret }) => {
    const { header: head, payload } = partsOf(token);
    return forgeHmac({ header: Buffer.from(head, 'base64url').toString(), claims: Buffer.from(payload, 'base64url').toString(), secret });
  },
  'as if issued, with a key that nobody has': (context) =>
    forgeHmac({ header: { ...hs256, kid: 'polylogue' }, claims: { ...goodClaims(context), key: 'none' }, secret: context.secret }),
  'as if issued, signed with a key derived otherwise': (context) =>
    forgeHmac({
      header: { ...hs256, kid: 'polylogue' },
      claims: goodClaims(context),
      secret: Buffer.from(hkdfSync('sha256', context.secret, '', '', 32)),
    }),
  'as if issued, by RS256': (context) =>
    forgeSigned({ header: { alg: 'RS256', kid: 'polylogue' }, claims: goodClaims(context), key: context.rsa.privateKey }),
};

const forms: Readonly<Record<string, Make>> = {
  'a fourth part': rewritten((token) => `${token}.x`),
  'a full stop at the end': rewritten((token) => `${token}.`),
  'five parts': rewritten((token) => `${token}.a.b`),
  'two parts': rewritten((_token, { header: head, payload }) => `${head}.${payload}`),
  'no header': rewritten((_token, { payload, signature }) => `.${payload}.${signature}`),
  'no payload': rewritten((_token, { header: head, signature }) => `${head}..${signature}`),
  'padding at the end': rewritten((token) => `${token}=`),
  'padding in the header': rewritten((_token, { header: head, payload, signature }) => `${head}==.${payload}.${signature}`),
  'base64 instead of base64url': rewritten(
    (_token, { header: head, payload, signature }) => `${head}.${payload.replaceAll('_', '/').replaceAll('-', '+')}.${signature}`,
  ),
  'payload that is no object': claims(() => '["sub"]'),
  'payload null': claims(() => 'null'),
  'payload that is no JSON': claims(() => '{"sub":"ann"'),
  'payload behind a byte order mark': claims(({ nowSeconds }) => `\ufeff{"sub":"ann","exp":${nowSeconds + 600}}`),
  'payload of 5,000 levels': claims(() => `${'['.repeat(2500)}${']'.repeat(2500)}`),
  'payload that is too long': claims(() => ({ fill: 'x'.repeat(8192) })),
  'payload with invalid UTF-8': (context) => {
    const broken = Buffer.from(`{"sub":"\xff","exp":${context.nowSeconds + 600}}`, 'latin1');
    return forgeHmac({ claims: broken, secret: context.secret });
  },
  'header that is an array': header(['HS256']),
  'header that is no JSON': header('{"alg":"HS256"'),
};

/** Tokens that are wrong in one thing each. Contexts without a given part are of no use: all of it is needed. */
export const forgeries: readonly Forgery[] = Object.entries({
  ...none,
  ...algorithms,
  ...confusion,
  ...keyChoice,
  ...signatures,
  ...times,
  ...users,
  ...tenants,
  ...issued,
  ...forms,
}).map(([name, make]) => ({ name, make }));
