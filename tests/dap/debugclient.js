// SPDX-License-Identifier: MIT
// The adapter behind the client that VS Code's own adapters are tested with; TAP on standard output.
// node debugclient.js DEBUGCALL TARGET SOURCE
const { spawn } = require('child_process');
const assert = require('assert');
const fs = require('fs');
const { DebugClient } = require(`${process.cwd()}/build/dap/node_modules/@vscode/debugadapter-testsupport`);

const [debugcall, program, source] = process.argv.slice(2);
const lines = fs.readFileSync(source, 'utf8').split('\n');
const line = lines.findIndex(text => text.includes('if (write(STDOUT_FILENO')) + 1;
const tests = [];
const test = (title, run) => tests.push([title, run]);

// The target, ready; its answers to single letters, which may come before they are asked for.
async function target(...args) {
	const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
	let written = '', wake = () => {};
	child.stdout.on('data', data => { written += data; wake(); });
	const line = async () => {
		while (!written)
			await new Promise(resolve => { wake = resolve; });
		const text = written;
		written = '';
		return text;
	};
	await line();
	return { child, pid: child.pid, poke: () => child.stdin.write('x'), answer: line };
}

async function within(run) {
	const dc = new DebugClient(debugcall, 'dap', 'debugcall');
	const process = await target('threads');
	dc.defaultTimeout = 60000;
	await dc.start();
	// A test that has ended the adapter says so.
	let ended = false;
	try {
		ended = await run(dc, process) === 'ended';
	} finally {
		if (!ended)
			await dc.stop();
		process.child.kill('SIGKILL');
	}
}

const attach = (dc, pid, extra) => Promise.all([
	dc.initializeRequest().then(() => dc.attachRequest({ pid, ...extra })),
	dc.configurationSequence(),
]);

test('unknown request should produce error', async dc => {
	await assert.rejects(dc.send('illegal_request'), /unknown request/);
});

test('should return supported features', async dc => {
	const answer = await dc.initializeRequest();
	assert.strictEqual(answer.body.supportsConfigurationDoneRequest, true);
});

test("should produce error for invalid 'pathFormat'", async dc => {
	await assert.rejects(dc.initializeRequest({ adapterID: 'x', linesStartAt1: true, columnsStartAt1: true,
		pathFormat: 'url' }), /pathFormat/);
});

test('should attach, and call while running', async (dc, process) => {
	await attach(dc, process.pid);
	const answer = await dc.evaluateRequest({ expression: 'add(20,22)', context: 'repl' });
	assert.strictEqual(answer.body.result, '42');
});

test('should stop on a breakpoint, verified before configurationDone', async (dc, process) => {
	await Promise.all([
		dc.initializeRequest().then(() => dc.attachRequest({ pid: process.pid })),
		dc.waitForEvent('initialized').then(async () => {
			const answer = await dc.setBreakpointsRequest({ source: { path: source }, breakpoints: [{ line }] });
			assert.strictEqual(answer.body.breakpoints[0].verified, true);
			await dc.configurationDoneRequest();
			process.poke();
		}),
		dc.assertStoppedLocation('breakpoint', { path: source, line }),
	]);
	const [{ id }] = (await dc.stackTraceRequest({ threadId: process.pid })).body.stackFrames;
	const value = async (expression, context) =>
		(await dc.evaluateRequest({ expression, context, frameId: id })).body.result;
	assert.strictEqual(await value('depth', 'hover'), '1');
	assert.strictEqual(await value('add(depth, 1)', 'repl'), '2');
	await assert.rejects(value('note()', 'hover'), /calls a function/);
	await dc.continueRequest({ threadId: process.pid });
	assert.strictEqual(await process.answer(), 'x');
});

test('should stop on a breakpoint of a program that it launches', async dc => {
	const at = lines.findIndex(text => text.includes('return local + both.a')) + 1;
	await dc.hitBreakpoint({ program }, { path: source, line: at });
	assert.strictEqual((await dc.threadsRequest()).body.threads.length, 1);
});

test('should run a program to its end', async dc => {
	await Promise.all([dc.configurationSequence(), dc.launch({ program: 'true' }), dc.waitForEvent('terminated')]);
});

test('should pause and continue', async (dc, process) => {
	await attach(dc, process.pid);
	const [, stopped] = await Promise.all([
		dc.pauseRequest({ threadId: process.pid }), dc.waitForEvent('stopped')]);
	assert.strictEqual(stopped.body.reason, 'pause');
	const threads = (await dc.threadsRequest()).body.threads;
	for (const thread of threads)
		assert((await dc.stackTraceRequest({ threadId: thread.id })).body.stackFrames.length > 0);
	await dc.continueRequest({ threadId: process.pid });
	process.poke();
	assert.strictEqual(await process.answer(), 'x');
});

test('should assert a log point\'s output', async (dc, process) => {
	await attach(dc, process.pid);
	await dc.setBreakpointsRequest({ source: { path: source }, breakpoints: [{ line, logMessage: 'depth {depth}' }] });
	await Promise.all([dc.assertOutput('console', 'depth 1\n'), process.poke()]);
});

test('should end on disconnect, and the target runs on', async (dc, process) => {
	await attach(dc, process.pid);
	await dc.disconnectRequest({ terminateDebuggee: false });
	process.poke();
	assert.strictEqual(await process.answer(), 'x');
	return 'ended';
});

(async () => {
	let failures = 0;
	for (const [i, [title, run]] of tests.entries()) {
		try {
			await within(run);
			console.log(`ok ${i + 1} - ${title}`);
		} catch (error) {
			failures++;
			console.log(`not ok ${i + 1} - ${title}: ${String(error && error.stack).replace(/\n/g, '\n# ')}`);
		}
	}
	console.log(`1..${tests.length}`);
	process.exit(failures ? 1 : 0);
})();
