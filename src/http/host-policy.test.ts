import { describe, expect, test } from 'vitest';
import { createHostPolicy } from './host-policy.ts';

const policy = createHostPolicy(['https://app.example', 'http://[fd00::5]:3000']);

describe('a request may name', () => {
  test.each([
    'localhost',
    'LocalHost:8000',
    'app.localhost:1',
    '127.0.0.1',
    '127.8.9.1:65535',
    '[::1]',
    '[::1]:8000',
    'app.example',
    'APP.example:8443',
    '192.0.2.7:8000',
    'polylogue:8000',
    '[fd00::5]:8000',
    undefined,
  ])('%s', (host) => expect(policy(host)).toBe(true));
});

describe('a request may not name', () => {
  test.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:8000',
    '127.0.0.1.evil.example',
    '127.evil.example',
    'x.app.example',
    'app.example.evil.example',
    'localhost@evil.example',
    'localhost.',
    '192.0.2.7.evil.example',
    '1.2.3',
    'evil.example#.localhost/x',
  ])('%s', (host) => expect(policy(host)).toBe(false));
});
