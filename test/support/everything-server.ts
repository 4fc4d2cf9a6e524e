import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'));

/** The command that serves the reference server over stdio. */
export const everythingStdio = { command: process.execPath, args: [main, 'stdio'] };

/** The program listens on every address of the machine: here on loopback only, at a port that the system chooses and it tells. */
const onLoopback = `
import net from 'node:net';
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  this.once('listening', () => console.error('LISTENING ' + this.address().port));
  return listen.call(this, { port: Number(port), host: '127.0.0.1' }, ...rest.filter((each) => typeof each === 'function'));
};`;

/** Starts the reference server over streamable HTTP, in a process of its own, at a port of the system's choice unless one is given. */
export async function startEverythingHttp(wanted = 0) {
  const preload = `data:text/javascript,${encodeURIComponent(onLoopback)}`;
  const child = spawn(process.execPath, ['--import', preload, main, 'streamableHttp'], {
    env: { PORT: String(wanted), PATH: process.env.PATH ?? '' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      said += piece;
      const found = /LISTENING (\d+)/.exec(said);
      if (found) resolve(Number(found[1]));
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return {
    port,
    url: `http://127.0.0.1:${port}/mcp`,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}
