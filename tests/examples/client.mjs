// Drives one of the examples: a request and a WebSocket on one connection. `node client.mjs http://127.0.0.1:8080`
import assert from 'node:assert/strict';
import { BINARY, PING, PONG, TEXT, connect, open, request } from './websocket.mjs';

const session = await connect(process.argv[2]);
const { status, body } = await request(session, { ':path': '/' });
assert.equal(status, 200, 'status of GET /');
assert.equal(body.toString(), 'hello\n', 'body of GET /');
console.log(`GET / -> ${status} ${JSON.stringify(body.toString())}`);

const socket = await open(session, '/chat');
socket.send(TEXT, 'grüß dich');
assert.equal((await socket.expect(TEXT)).toString(), 'grüß dich', 'echo of a text');
const bytes = Buffer.alloc(200_000, 'h2ws');
socket.send(BINARY, bytes);
assert.deepEqual(await socket.expect(BINARY), bytes, 'echo of 200,000 bytes');
socket.send(PING, 'are you there');
assert.equal((await socket.expect(PONG)).toString(), 'are you there', 'answer to a Ping');
const { code, rstCode } = await socket.close(4000, 'enough');
assert.equal(code, 4000, 'code of the answer to our Close');
assert.equal(rstCode, 0, 'the stream ends without an error');
console.log('WebSocket /chat -> text, 200,000 bytes, Ping, Close 4000');
await new Promise((resolve) => session.close(resolve));
