// No exception crosses a callback: the exchange ends with 500 or 1011, and the next one works.
// `node exceptions.mjs PATH/OF/throwing_server`
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PING, PONG, TEXT, closing, connect, handshake, open, request, within } from '../examples/websocket.mjs';

const server = spawn(process.argv[2], { stdio: ['ignore', 'pipe', 'pipe'] });
process.on('exit', () => server.kill('SIGKILL'));
const exited = once(server, 'exit');
let log = '';
server.stderr.on('data', (chunk) => { log += chunk; });
const [line] = await within(once(createInterface(server.stdout), 'line'), 'the first line of the server');
const session = await connect(line.replace('listening on ', ''));

const fine = async () => {
  const answer = await request(session, { ':path': '/fine' });
  assert.equal(answer.status, 200, 'the connection still serves');
};

for (const path of ['/throw', '/throw-an-int']) {
  const answer = await request(session, { ':path': path });
  assert.equal(answer.status, 500, `GET ${path}`);
  await fine();
}

assert.equal((await request(session, { ':path': '/body', ':method': 'POST' }, 'a body')).status, 500, 'POST /body');
await fine();

const started = session.request({ ':path': '/start-and-throw' });
started.resume();
assert.equal(await within(closing(started), '/start-and-throw'), 2, 'a response that had begun is reset with INTERNAL_ERROR');
await fine();

assert.equal((await handshake(session, '/throw')).status, 500, 'a handshake is refused');
await fine();

assert.equal((await (await open(session, '/accept-and-throw')).expectClose()).code, 1011, 'an accepted socket is closed');
await fine();

for (const [opcode, data] of [[TEXT, 'throw'], [PING, '']]) {
  const socket = await open(session, '/socket');
  socket.send(TEXT, 'hello');
  assert.equal((await socket.expect(TEXT)).toString(), 'hello', 'an echo before');
  socket.send(opcode, data);
  if (opcode === PING) await socket.expect(PONG); // h2ws answers, whatever the handler does
  const { code, rstCode } = await socket.expectClose();
  assert.equal(code, 1011, `the Close after opcode ${opcode}`);
  assert.equal(rstCode, 0, 'the stream ends without an error');
  await fine();
}

await new Promise((resolve) => session.close(resolve));
server.kill('SIGTERM');
const [code, signal] = await within(exited, 'the end of the server');
assert.deepEqual([code, signal], [0, null], 'exit code and signal on SIGTERM');
for (const text of ['on_request: at once', 'on_request: not a std::exception', 'on_request: after accept', 'on_request: after respond_start',
  'on_body: in the body', 'on_message: in the message', 'on_control: in the ping', 'on_closed: at the end', 'exception in on_log']) {
  assert.ok(log.includes(text), `the log says "${text}"; it is:\n${log}`);
}
console.log('exceptions: ok');
