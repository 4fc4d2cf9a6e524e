import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EgressError } from '../../core/ports/egress.ts';
import { systemClock } from '../clock/system-clock.ts';
import { createEgress, type EgressOptions } from './create-egress.ts';

/** Hosts that a URL takes and that mean this machine, its network or a cloud's own services. */
const HOSTS: readonly string[] = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '127.0.0.1.',
    '127.255.255.254',
    '127.0.0.01',
    '0177.0.0.1',
    '0177.1',
    '0x7f.0.0.1',
    '0x7f.1',
    '0x7F000001',
  ],
  ...[
    '2130706433',
    '017700000001',
    '0x7f.0x0.0x0.0x1',
    '00000177.0.0.1',
    '127.0.0x1',
    '127.0x000001',
    '0',
    '0.0.0.0',
    '0x0',
    '00',
    '0.0',
    '0.1.2.3',
  ],
  ...[
    '１２７.０.０.１',
    '１２７。０。０。１',
    '127。0。0。1',
    '127．0．0．1',
    '①②⑦.⓪.⓪.①',
    '%31%32%37.0.0.1',
    '127%2e0%2e0%2e1',
    '𝟏𝟐𝟕.𝟎.𝟎.𝟏',
    '0X7F.1',
  ],
  ...['[::1]', '[::]', '[0:0:0:0:0:0:0:1]', '[0000:0000:0000:0000:0000:0000:0000:0001]', '[::0001]', '[::127.0.0.1]', '[::7f00:1]'],
  ...[
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:127.0.0.1]',
    '[::FFFF:7F00:0001]',
    '[::ffff:0:127.0.0.1]',
    '[64:ff9b::127.0.0.1]',
  ],
  ...[
    '[64:ff9b::7f00:1]',
    '[64:ff9b:1::7f00:1]',
    '[2002:7f00:1::]',
    '[2002:7f00:1::1]',
    '[2001::7f00:1]',
    '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
  ],
  ...[
    '[fe80::1]',
    '[fe80::1%25lo]',
    '[fe80::1%lo]',
    '[fc00::1]',
    '[fd00:ec2::254]',
    '[fec0::1]',
    '[ff02::1]',
    '[ff01::1]',
    '[2001:db8::1]',
    '[100::1]',
  ],
  ...[
    '[5f00::1]',
    '[3fff::1]',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::ffff:10.0.0.1]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
  ],
  ...[
    '169.254.169.254',
    '2852039166',
    '0xa9fea9fe',
    '0251.0376.0251.0376',
    '169.254.43518',
    '0xa9.0xfe.0xa9.0xfe',
    '169.254.170.2',
    '168.63.129.16',
  ],
  ...['10.0.0.1', '10.1', '012.0.0.1', '167772161', '172.16.0.1', '172.31.255.255', '192.168.0.1', '192.168.1', '0xC0A80001', '3232235521'],
  ...[
    '100.64.0.1',
    '100.100.100.200',
    '100.127.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '192.88.99.1',
  ],
  ...['224.0.0.1', '239.255.255.250', '240.0.0.1', '255.255.255.255', '4294967295', '037777777777'],
  ...['localhost', 'LOCALHOST', 'localhost.', 'LocalHost.', 'ｌｏｃａｌｈｏｓｔ', 'loca%6Chost', 'ⓛⓞⓒⓐⓛⓗⓞⓢⓣ', 'a.localhost', 'localhost6'],
  ...[
    '127.0.0.1.nip.example',
    'inside.example',
    'INSIDE.example.',
    'inside6.example',
    'mapped.example',
    'both.example',
    'metadata.google.internal',
  ],
];

/** What the name servers say; names that are not here do not exist. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  localhost: ['127.0.0.1', '::1'],
  'localhost.': ['127.0.0.1'],
  'a.localhost': ['127.0.0.1'],
  localhost6: ['::1'],
  '127.0.0.1.nip.example': ['127.0.0.1'],
  'inside.example': ['127.0.0.1'],
  'inside.example.': ['127.0.0.1'],
  'inside6.example': ['::1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'both.example': ['8.8.8.8', '127.0.0.1'],
  'metadata.google.internal': ['169.254.169.254'],
};

async function resolve(host: string) {
  const addresses = NAMES[host];
  if (addresses === undefined) throw new Error('ENOTFOUND');
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

let connections = 0;
let port = 0;
const listener = createServer((socket) => {
  connections += 1;
  socket.destroy();
});
beforeAll(async () => {
  await new Promise<void>((ready) =>
    listener.listen({ port: 0, host: '::1' }, ready).once('error', () => listener.listen(0, '127.0.0.1', ready)),
  );
  port = (listener.address() as AddressInfo).port;
  const second = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  // The same port in both families, where the machine has both.
  await new Promise<void>((ready) => second.listen({ port, host: '127.0.0.1' }, ready).once('error', () => ready()));
  closers.push(() => second.close());
});
const closers: (() => void)[] = [];
afterAll(() => {
  listener.close();
  for (const close of closers) close();
});

function egress(options: Partial<EgressOptions> = {}) {
  return createEgress({ allow: [], maxBytes: 1_000_000, timeoutMs: 20_000, clock: systemClock, resolve, ...options });
}

test('more than a hundred spellings of addresses inside: none connects', async () => {
  expect(new Set(HOSTS).size).toBeGreaterThan(100);
  const { fetch, close } = egress();
  const reached: string[] = [];
  for (const host of HOSTS) {
    const found = await fetch(`http://${host}:${port}/`).catch((error: unknown) => error);
    if (!(found instanceof EgressError) || found.code !== 'destination_refused') reached.push(`${host}: ${String(found)}`);
  }
  await close();
  expect(reached).toEqual([]);
  expect(connections).toBe(0);
});

test('the listener is there: the same names connect where the operator allows them', async () => {
  const { fetch, close } = egress({ allow: ['127.0.0.0/8'] });
  await expect(fetch(`http://inside.example:${port}/`)).rejects.toMatchObject({ code: 'destination_unreachable' });
  await close();
  expect(connections).toBe(1);
});

test.each([
  [
    'other schemes',
    ['file:///etc/passwd', 'gopher://127.0.0.1:70/_x', 'ftp://inside.example/', 'data:text/plain,x', 'unix:/run/docker.sock', 'blob:x'],
  ],
  ['user names', ['http://example.com@inside.example/', 'http://a:b@8.8.8.8/', 'https://:x@8.8.8.8/']],
  ['no addresses', ['', 'http://', 'inside.example', '//inside.example', 'http://[::1', 'http://a b/']],
])('%s are refused', async (_what, urls) => {
  const { fetch, close } = egress();
  for (const url of urls) await expect(fetch(url), url).rejects.toMatchObject({ code: 'destination_refused' });
  await close();
});

test('a name that is public when asked first and inside from then on leads nowhere inside', async () => {
  const before = connections;
  let asked = 0;
  const rebinding = async () => {
    asked += 1;
    return [{ address: asked === 1 ? '127.0.0.2' : '127.0.0.1', family: 4 }];
  };
  // Nobody listens at the first address, which is allowed here to play a public one.
  const { fetch, close } = egress({ allow: ['127.0.0.2'], resolve: rebinding });
  const url = `http://rebinding.example:${port}/`;
  await expect(fetch(url)).rejects.toMatchObject({ code: 'destination_unreachable' });
  for (let again = 0; again < 3; again += 1) await expect(fetch(url)).rejects.toMatchObject({ code: 'destination_refused' });
  await close();
  expect(asked).toBe(4);
  expect(connections).toBe(before);
});

test('a redirect to an address inside is not followed, nor is one to another port of an allowed host', async () => {
  const before = connections;
  const targets = [
    `http://127.0.0.1:${port}/`,
    `http://[::1]:${port}/`,
    `http://inside.example:${port}/`,
    `//127.1:${port}/`,
    'file:///etc/passwd',
  ];
  const front = createHttpServer((request, response) => {
    response.writeHead(302, { location: targets[Number(request.url?.slice(1))] ?? '' }).end();
  });
  await new Promise<void>((ready) => front.listen(0, '127.0.0.1', ready));
  const own = (front.address() as AddressInfo).port;
  const { fetch, close } = egress({ allow: [`localhost:${own}`] });
  for (const index of targets.keys())
    await expect(fetch(`http://localhost:${own}/${index}`), targets[index]).rejects.toMatchObject({ code: 'destination_refused' });
  await close();
  front.close();
  expect(connections).toBe(before);
});
