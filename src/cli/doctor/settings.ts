import { isLoopback } from '../../config/environment.ts';
import type { Config } from '../../config.ts';
import { secretWeakness } from '../../core/secret-strength.ts';
import type { Finding } from '../../http/control-wire.ts';
import { refuseOldNode } from '../../node-version.ts';
import { fail, ok, warn } from './finding.ts';

const RANDOM = 'set a random value, for example from "openssl rand -hex 32".';

/** What can be said about the settings without looking anywhere else. */
export function examineSettings(config: Config): readonly Finding[] {
  return [
    examineNode(),
    examineAddress(config),
    ...examineExposure(config),
    examineMetrics(config),
    ...examineSecrets(config),
    ...examineOrigins(config),
    ...examineWarnings(config),
  ];
}

function examineNode(): Finding {
  const refusal = refuseOldNode(process.versions.node);
  return refusal === null ? ok('node', `Node.js ${process.versions.node}.`) : fail('node', refusal, 'Install a newer Node.js.');
}

function examineAddress({ host, port, production, developmentKey }: Config): Finding {
  const mode = production ? 'in production' : 'for development';
  const message = `Set up ${mode}, to listen on ${host}, port ${port}.`;
  if (!production && !isLoopback(host)) {
    return warn('address', message, 'Other machines can reach it: set NODE_ENV=production, or HOST=127.0.0.1.');
  }
  if (developmentKey === null) return ok('address', message);
  return warn('address', `${message} The published development key opens it.`, 'Set NODE_ENV=production before anybody else can reach it.');
}

/** What others can read and listen to when the server is not for this machine alone. */
function examineExposure({ host }: Config): readonly Finding[] {
  if (isLoopback(host)) return [];
  return [
    warn(
      'tls',
      'Other machines can reach the server, which itself does not encrypt: keys and messages can be read on their way.',
      'Put it behind a proxy that ends TLS, and let only that reach it.',
    ),
  ];
}

function examineMetrics({ host, production, metrics }: Config): Finding {
  if (!metrics.public) return ok('metrics', '/metrics asks for an API key.');
  if (isLoopback(host) && !production)
    return ok('metrics', '/metrics asks for no API key, because this is for development on this machine.');
  const message = 'Whoever reaches the server, be it through a proxy, can read /metrics.';
  return warn('metrics', message, 'Take metrics.public out of polylogue.config.json.');
}

function examineSecrets({ signingSecrets, production, jwksUrl }: Config): readonly Finding[] {
  if (signingSecrets.length === 0) {
    if (!production) return [ok('secrets', 'No secret is set; the server signs with one that it keeps in DATA_DIR.')];
    return [
      ok('secrets', jwksUrl === null ? 'No secret and no JWKS_URL: only API keys open the server.' : 'Tokens are verified by JWKS_URL.'),
    ];
  }
  const weak = signingSecrets.map(secretWeakness).find((weakness) => weakness !== null);
  if (weak !== undefined) return [fail('secrets', `A signing secret ${weak}.`, `Whoever guesses it can be anybody: ${RANDOM}`)];
  return [ok('secrets', `${signingSecrets.length === 1 ? 'One signing secret is' : 'Two signing secrets are'} set.`)];
}

/** A page that came unencrypted may have been changed on its way, and it sees what its user sees. */
function examineOrigins({ allowedOrigins }: Config): readonly Finding[] {
  if (allowedOrigins.length === 0) return [];
  const open = allowedOrigins.filter((origin) => origin.startsWith('http:') && !isLoopback(new URL(origin).hostname));
  const message = `Pages from ${allowedOrigins.join(', ')} may call.`;
  return [open.length === 0 ? ok('origins', message) : warn('origins', message, `Serve ${open.join(', ')} with https.`)];
}

function examineWarnings({ warnings }: Config): readonly Finding[] {
  return warnings.map((warning) => warn('settings', warning, 'Correct the setting and start again.'));
}
