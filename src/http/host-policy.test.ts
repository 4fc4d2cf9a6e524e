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
    '[fd00::5]:8000',
    undefined,
  ])('%s', (host) => expect(policy(host)).toBe(true));
});

describe('a request may not name', () => {
  test.each([
    'evil.example',
    'localhost.evil.example',
    'notlocalhost',
    'evil.example:8000',
    '127.0.0.1.evil.example',
    '127.evil.example',
    '128.0.0.1',
    'x.app.example',
    'app.example.evil.example',
    'localhost@evil.example',
    'evil.example#.localhost/x',
    'localhost:80:90',
    'localhost:',
    '[::2]',
    '0.0.0.0',
    '',
  ])('%s', (host) => expect(policy(host)).toBe(false));
});
