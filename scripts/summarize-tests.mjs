// Prints `N passed, N failed` from the report of vitest's JSON reporter and exits with 1 unless everything passed.
//   node scripts/summarize-tests.mjs <report.json> <exit code of npm test>
import { existsSync, readFileSync } from 'node:fs';

const [reportPath, exitCode] = process.argv.slice(2);
const report = existsSync(reportPath) ? JSON.parse(readFileSync(reportPath, 'utf8')) : { testResults: [] };

const tests = report.testResults.flatMap((file) => file.assertionResults);
const passed = tests.filter((test) => test.status === 'passed').length;
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed').length;
// A file that cannot be loaded has no tests to count, but it failed.
const brokenFiles = report.testResults.filter(
  (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
const failures = tests.filter((test) => test.status === 'failed').length + brokenFiles.length;
// Type, lint, wall and unused-code checks run before the tests and have no report: whatever failed there counts as one, and so does
// a run without tests.
const failed = failures === 0 && (exitCode !== '0' || passed === 0) ? 1 : failures;

if (skipped > 0) process.stdout.write(`${skipped} skipped\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
