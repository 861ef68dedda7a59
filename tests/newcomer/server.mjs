// A program in the JVM, from its start to its end by a signal.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { within } from '../examples/websocket.mjs';

// The TCP port that a process listens on, or undefined. Programs of the documentation do not say it.
function listening(pid) {
  const own = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      own.add(readlinkSync(`/proc/${pid}/fd/${fd}`));
    } catch {} // closed in between
  }
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === '0A' && own.has(`socket:[${inode}]`)) return parseInt(local.split(':')[1], 16);
    }
  }
  return undefined;
}

export class Server {
  #process;
  #ended;
  output = '';

  constructor(folder, classPath) {
    this.#process = spawn(process.env.JAVA ?? 'java', ['-cp', classPath, 'Server'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#process.stdout, this.#process.stderr]) stream.on('data', (text) => { this.output += text; });
    this.#ended = once(this.#process, 'close');
  }

  get runs() { return this.#process.exitCode === null && this.#process.signalCode === null; }

  async port() {
    const deadline = Date.now() + 30_000;
    while (this.runs && Date.now() < deadline) {
      const port = this.#port();
      if (port) return port;
      await delay(50);
    }
    throw new Error(this.runs ? 'it does not listen within 30 s' : `it ended with ${this.#process.exitCode} before it listened`);
  }

  #port() {
    try {
      return listening(this.#process.pid);
    } catch (e) {
      if (e.code !== 'ENOENT') throw e;
      return undefined; // it ended in between
    }
  }

  // Resolves with its exit code: 128 and the number of the signal, for a JVM that has run its shutdown hooks.
  async end(signal) {
    this.#process.kill(signal);
    const [code] = await within(this.#ended, `the end by ${signal}`);
    return code;
  }

  async kill() {
    if (this.runs) this.#process.kill('SIGKILL');
    await this.#ended;
  }
}
