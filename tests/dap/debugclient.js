// SPDX-License-Identifier: MIT
// The adapter behind the client that VS Code's own adapters are tested with: what the adapters of lldb, gdb and Delve
// test, and what their users complain of, each with its name. TAP on standard output.
// node debugclient.js DEBUGCALL TARGETS SOURCES [PART OF A TITLE]
const { spawn } = require('child_process');
const assert = require('assert');
const fs = require('fs');
const os = require('os');
const { DebugClient } = require(`${process.cwd()}/build/dap/node_modules/@vscode/debugadapter-testsupport`);

const [debugcall, targets, sources, only] = process.argv.slice(2);
const tests = [];
const test = (title, run, ...target) => tests.push([title, run, target.length ? target : ['plain']]);

const source = name => `${sources}/${name}`;
const texts = new Map();
// The line of a file that has a text.
function line(name, text) {
	if (!texts.has(name))
		texts.set(name, fs.readFileSync(source(name), 'utf8').split('\n'));
	const found = texts.get(name).findIndex(each => each.includes(text));
	assert(found >= 0, `${name} has no '${text}'`);
	return found + 1;
}
const plain = { path: source('plain.c') };
const stepped = { path: source('stepped.c') };
const WRITE = line('plain.c', 'if (write(STDOUT_FILENO');
const READ = line('plain.c', 'while (read(STDIN_FILENO');
const NOTE = line('plain.c', 'return ++notes;');

// The target, ready; what it writes, a piece at a time.
class Target {
	constructor(name, args) {
		this.child = spawn(`${targets}/${name}`, args, { stdio: ['pipe', 'pipe', 'inherit'] });
		this.pid = this.child.pid;
		this.written = '';
		this.wake = () => {};
		this.child.stdout.on('data', data => { this.written += data; this.wake(); });
		this.ended = new Promise(resolve => this.child.on('exit', (code, signal) => resolve(signal || code)));
	}

	// Until it has written so many characters, which are taken.
	async reads(n = 1) {
		while (this.written.length < n)
			await new Promise(resolve => { this.wake = resolve; });
		const text = this.written.slice(0, n);
		this.written = this.written.slice(n);
		return text;
	}

	async ready() {
		assert.strictEqual(await this.reads(6), 'ready\n');
		return this;
	}

	poke(text = 'x') { this.child.stdin.write(text); }

	async answers() {
		this.poke();
		assert.strictEqual(await this.reads(), 'x');
	}

	state() { return fs.readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/.*\) /s, '')[0]; }
}

async function until(condition) {
	while (!condition())
		await new Promise(resolve => setTimeout(resolve, 1));
}

// A client with what is asked for often.
class Client extends DebugClient {
	constructor() {
		super(debugcall, 'dap', 'debugcall');
		this.defaultTimeout = 60000;
		this.come = {};
		this.awaited = {};
	}

	// An event may come with the answer that it is waited for behind: none is lost.
	emit(name, event) {
		const waiter = (this.awaited[name] || []).shift();
		if (waiter)
			waiter(event);
		else
			(this.come[name] = this.come[name] || []).push(event);
		return super.emit(name, event);
	}

	waitForEvent(name) {
		const event = (this.come[name] || []).shift();
		if (event)
			return Promise.resolve(event);
		return new Promise((resolve, reject) => {
			const timer = setTimeout(() => reject(new Error(`no event '${name}' within a minute`)), this.defaultTimeout);
			(this.awaited[name] = this.awaited[name] || []).push(found => { clearTimeout(timer); resolve(found); });
		});
	}

	async ask(command, args) { return (await this.send(command, args)).body; }

	async fails(command, args, pattern) { await assert.rejects(this.send(command, args), pattern); }

	attach(pid, extra = {}) {
		return Promise.all([
			this.initializeRequest().then(() => this.attachRequest({ pid, ...extra })),
			this.waitForEvent('initialized').then(() => this.configurationDoneRequest()),
		]);
	}

	// Launched, with breakpoints, and up to configurationDone.
	async begin(args, lines = [], at = plain) {
		const initialized = this.waitForEvent('initialized');
		await this.initializeRequest();
		const [event] = await Promise.all([this.waitForEvent('process'), this.launchRequest(args), initialized]);
		if (lines.length)
			await this.set(lines, at);
		await this.configurationDoneRequest();
		return event.body.systemProcessId;
	}

	async set(lines, at = plain) {
		const breakpoints = lines.map(each => typeof each === 'number' ? { line: each } : each);
		return (await this.ask('setBreakpoints', { source: at, breakpoints })).breakpoints;
	}

	async stops(action, wanted = {}) {
		await action();
		const event = await this.waitForEvent('stopped');
		for (const [name, value] of Object.entries(wanted))
			assert.deepStrictEqual(event.body[name], value, JSON.stringify(event.body));
		return event.body;
	}

	async frames(threadId, extra = {}) { return (await this.ask('stackTrace', { threadId, ...extra })).stackFrames; }

	// At the write in wait_here(1), without a breakpoint left.
	async stands(target, extra) {
		await this.attach(target.pid, extra);
		await this.set([WRITE]);
		await this.stops(() => target.poke(), { reason: 'breakpoint', threadId: target.pid });
		await this.set([]);
		return this.frames(target.pid);
	}

	async value(expression, context = 'repl', frame) {
		return (await this.ask('evaluate', { expression, context, frameId: frame && frame.id })).result;
	}

	async scope(frame, name) {
		const { scopes } = await this.ask('scopes', { frameId: frame.id });
		return scopes.find(each => each.name === name);
	}

	async children(variablesReference, extra = {}) {
		return (await this.ask('variables', { variablesReference, ...extra })).variables;
	}

	async locals(frame, name = 'Locals') {
		const list = await this.children((await this.scope(frame, name)).variablesReference);
		return Object.fromEntries(list.map(each => [each.name, each]));
	}

	async goesOn(target) {
		await this.ask('continue', { threadId: target.pid });
		assert.strictEqual(await target.reads(), 'x');
	}

	// All of the output of a category, up to the program's end.
	async output(category, action) {
		let text = '';
		this.on('output', event => { text += event.body.category === category ? event.body.output : ''; });
		await Promise.all([this.waitForEvent('terminated'), action()]);
		return text;
	}
}

async function within(run, [name, ...args]) {
	const dc = new Client();
	const target = name ? await new Target(name, args).ready() : null;
	await dc.start();
	// A test that has ended the adapter says so.
	let ended = false;
	try {
		ended = await run(dc, target) === 'ended';
	} finally {
		if (!ended)
			await dc.stop().catch(() => {});
		if (target)
			target.child.kill('SIGKILL');
	}
}

// ---- initialize, attach ----

test('unknown request should produce error', dc => dc.fails('illegal_request', {}, /unknown request/), null);
test('should return supported features', async dc => {
	const { body } = await dc.initializeRequest();
	for (const name of ['ConfigurationDoneRequest', 'FunctionBreakpoints', 'ConditionalBreakpoints',
		'HitConditionalBreakpoints', 'EvaluateForHovers', 'SetVariable', 'SetExpression', 'CompletionsRequest',
		'ModulesRequest', 'LoadedSourcesRequest', 'LogPoints', 'TerminateRequest', 'DataBreakpoints',
		'ReadMemoryRequest', 'WriteMemoryRequest', 'DisassembleRequest', 'CancelRequest',
		'BreakpointLocationsRequest', 'ClipboardContext', 'SteppingGranularity', 'InstructionBreakpoints',
		'ExceptionFilterOptions', 'ExceptionInfoRequest', 'SingleThreadExecutionRequests', 'StepInTargetsRequest',
		'GotoTargetsRequest', 'ValueFormattingOptions', 'DelayedStackTraceLoading'])
		assert.strictEqual(body[`supports${name}`], true, name);
	assert(!body.supportsRestartFrame && !body.supportsStepBack && !body.supportsRestartRequest);
}, null);
test("should produce error for invalid 'pathFormat'", dc => dc.fails('initialize', { adapterID: 'x', linesStartAt1: true,
	columnsStartAt1: true, pathFormat: 'url' }, /pathFormat/), null);
test('initialize comes once', async dc => {
	await dc.initializeRequest();
	await dc.fails('initialize', { adapterID: 'x' }, /once/);
}, null);
test('nothing is answered before initialize', dc => dc.fails('attach', { pid: 1 }, /initialize/), null);
test('a number 0 of the first request is answered', async dc => {
	dc.sequence = 0;
	assert((await dc.initializeRequest()).success);
}, null);
test('initialized comes behind the answer to attach', async (dc, target) => {
	const order = [];
	const { dispatch } = dc;
	dc.dispatch = body => {
		const message = JSON.parse(body);
		order.push(message.event || message.command);
		dispatch.call(dc, body);
	};
	await dc.initializeRequest();
	await Promise.all([dc.waitForEvent('initialized'), dc.attachRequest({ pid: target.pid })]);
	assert.deepStrictEqual(order, ['initialize', 'attach', 'process', 'initialized']);
});
test('should attach, and call while running', async (dc, target) => {
	await dc.attach(target.pid);
	assert.strictEqual(await dc.value('add(20,22)'), '42');
	await target.answers();
});
test('attach: unknown attributes are tolerated', (dc, target) => dc.attach(target.pid, { __sessionId: '7', type: 'x' }));
test('attach: the process as text', (dc, target) => dc.attach(String(target.pid)));
test('attach: processId is another name', async (dc, target) => {
	await dc.initializeRequest();
	await dc.attachRequest({ processId: target.pid });
});
test('attach: no process is named', async dc => {
	await dc.initializeRequest();
	await dc.fails('attach', {}, /'pid'/);
}, null);
test('attach: a process that is not there, then one that is', async (dc, target) => {
	await dc.initializeRequest();
	await dc.fails('attach', { pid: 4194304 }, /4194304/);
	await dc.attachRequest({ pid: target.pid });
	assert.strictEqual(await dc.value('add(1,2)'), '3');
});
test('attach: once', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('attach', { pid: target.pid }, /one process/);
});
test('attach: a wrong type is named', async (dc, target) => {
	await dc.initializeRequest();
	await dc.fails('attach', { pid: target.pid, callTimeout: 'soon' }, /callTimeout/);
	await dc.fails('attach', { pid: target.pid, host: 'nobody' }, /nobody/);
});
test('attach: the process is told', async (dc, target) => {
	const [{ body }] = await Promise.all([dc.waitForEvent('process'), dc.attach(target.pid)]);
	assert.deepStrictEqual([body.systemProcessId, body.startMethod, body.name], [target.pid, 'attach', 'plain']);
});
test('attach: nothing stops', async (dc, target) => {
	let stopped = false;
	dc.on('stopped', () => { stopped = true; });
	await dc.attach(target.pid);
	await target.answers();
	await dc.threadsRequest();
	assert(!stopped);
});
test('attach: stopOnAttach', (dc, target) => dc.stops(() => dc.attach(target.pid, { stopOnAttach: true }),
	{ reason: 'entry', allThreadsStopped: true }), 'plain', 'threads');
test('requests while the target is opened wait for it', async (dc, target) => {
	await dc.initializeRequest();
	const [, answer] = await Promise.all([dc.attachRequest({ pid: target.pid }), dc.threadsRequest()]);
	assert.strictEqual(answer.body.threads[0].id, target.pid);
});
test('what needs a target says that there is none', async dc => {
	await dc.initializeRequest();
	for (const command of ['threads', 'evaluate', 'configurationDone', 'setBreakpoints', 'pause'])
		await dc.fails(command, {}, /no process yet/);
}, null);

// ---- launch ----

test('launch: no program', async dc => {
	await dc.initializeRequest();
	await dc.fails('launch', {}, /'program'/);
}, null);
test('launch: a program that is not there', async dc => {
	await dc.initializeRequest();
	await dc.fails('launch', { program: '/no/such' }, /No such file/);
}, null);
test('should run a program to its end', dc => Promise.all([dc.configurationSequence(), dc.launch({ program: 'true' }),
	dc.waitForEvent('terminated')]), null);
test('should stop on a breakpoint of a program that it launches', async dc => {
	const at = line('plain.c', 'return local + both.a');
	await dc.hitBreakpoint({ program: `${targets}/plain` }, { path: plain.path, line: at });
	assert.strictEqual((await dc.threadsRequest()).body.threads.length, 1);
}, null);
test('launch: arguments', async dc => {
	assert.strictEqual(await dc.output('stdout', () => dc.begin({ program: 'echo', args: ['a b', 'c'] })), 'a b c\n');
}, null);
test('launch: environment, and what is taken away', async dc => {
	const program = { program: 'sh', args: ['-c', 'echo $COLOUR$HOME'], env: { COLOUR: 'blue', HOME: null } };
	assert.strictEqual(await dc.output('stdout', () => dc.begin(program)), 'blue\n');
}, null);
test('launch: the folder', async dc => {
	assert.strictEqual(await dc.output('stdout', () => dc.begin({ program: 'pwd', cwd: '/' })), '/\n');
}, null);
test('launch: standard error is told apart', async dc => {
	assert.strictEqual(await dc.output('stderr', () => dc.begin({ program: 'sh', args: ['-c', 'echo a; echo b >&2'] })),
		'b\n');
}, null);
test('launch: the exit status', async dc => {
	const [{ body }] = await Promise.all([dc.waitForEvent('exited'), dc.begin({ program: 'sh', args: ['-c', 'exit 7'] })]);
	assert.strictEqual(body.exitCode, 7);
}, null);
test('launch: a signal is the exit status', async dc => {
	const [{ body }] = await Promise.all([dc.waitForEvent('exited'),
		dc.begin({ program: 'sh', args: ['-c', 'kill -TERM $$'] })]);
	assert.strictEqual(body.exitCode, 128 + 15);
}, null);
test('launch: stopOnEntry, and on', async dc => {
	const stop = await dc.stops(() => dc.begin({ program: 'true', stopOnEntry: true }), { reason: 'entry' });
	assert((await dc.frames(stop.threadId)).length > 0);
	await Promise.all([dc.waitForEvent('exited'), dc.ask('continue', { threadId: stop.threadId })]);
}, null);
test('launch: functions of libraries have breakpoints before it runs', async dc => {
	await dc.initializeRequest();
	await Promise.all([dc.waitForEvent('initialized'), dc.launchRequest({ program: `${targets}/thrower` })]);
	const { breakpoints } = await dc.ask('setFunctionBreakpoints', { breakpoints: [{ name: '__cxa_throw' }] });
	assert.strictEqual(breakpoints[0].verified, true, JSON.stringify(breakpoints));
}, null);
test('launch: terminate lets the program see to its end', async dc => {
	await Promise.all([dc.assertOutput('stdout', 'up'), dc.begin({ program: 'sh',
		args: ['-c', "trap 'exit 9' TERM; echo up; while :; do sleep 0.01; done"] })]);
	const [{ body }] = await Promise.all([dc.waitForEvent('exited'), dc.ask('terminate', {})]);
	assert.strictEqual(body.exitCode, 9);
}, null);
const runs = pid => { try { return !/\) Z/.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8')); } catch { return false; } };
test('launch: disconnect ends the program', async dc => {
	const pid = await dc.begin({ program: 'sleep', args: ['1000'] });
	await dc.disconnectRequest({});
	await until(() => !runs(pid));
	return 'ended';
}, null);
test('launch: disconnect with terminateDebuggee false lets it run on', async dc => {
	const pid = await dc.begin({ program: 'sleep', args: ['1000'] });
	const ended = new Promise(resolve => dc._adapterProcess.on('exit', resolve));
	await dc.disconnectRequest({ terminateDebuggee: false });
	await ended;
	assert(runs(pid));
	process.kill(pid, 'SIGKILL');
	return 'ended';
}, null);
test('launch: killOnExit false lets it run on', async dc => {
	const pid = await dc.begin({ program: 'sleep', args: ['1000'], killOnExit: false });
	const ended = new Promise(resolve => dc._adapterProcess.on('exit', resolve));
	dc._adapterProcess.kill('SIGKILL');
	await ended;
	assert(runs(pid));
	process.kill(pid, 'SIGKILL');
	return 'ended';
}, null);
test('launch: restart is announced for it', async dc => {
	const [{ body }] = await Promise.all([dc.waitForEvent('capabilities'), dc.begin({ program: 'true' })]);
	assert.strictEqual(body.capabilities.supportsRestartRequest, true);
}, null);
test('launch: restart begins it again, with its breakpoints', async dc => {
	const at = line('plain.c', 'return local + both.a');
	await dc.stops(() => dc.begin({ program: `${targets}/plain` }, [at]), { reason: 'breakpoint' });
	const [, { body: told }, stop] = await Promise.all([dc.ask('restart', {}), dc.waitForEvent('process'),
		dc.waitForEvent('stopped')]);
	assert.strictEqual(stop.body.reason, 'breakpoint');
	assert.strictEqual(stop.body.threadId, told.systemProcessId);
	assert.strictEqual((await dc.frames(stop.body.threadId))[0].line, at);
}, null);
test('launch: restart with other arguments', async dc => {
	await Promise.all([dc.assertOutput('stdout', 'one'), dc.begin({ program: 'sh', args: ['-c', 'echo one; sleep 1000'] })]);
	await Promise.all([dc.assertOutput('stdout', 'two'),
		dc.ask('restart', { arguments: { program: 'sh', args: ['-c', 'echo two; sleep 1000'] } })]);
}, null);
test('restart of what was attached to is refused', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('restart', {}, /was not launched/);
	await target.answers();
});
test('launch: in a terminal of the client', async dc => {
	const request = asked(dc);
	await dc.initializeRequest({ adapterID: 'x', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path',
		supportsRunInTerminalRequest: true });
	const launched = Promise.all([dc.waitForEvent('initialized'), dc.launchRequest({ program: 'sh',
		args: ['-c', 'echo $0 $#; exit 5', 'a b', 'c'], console: 'integratedTerminal', cwd: '/' })]);
	const { command, seq, arguments: { args, cwd, kind } } = await request;
	assert.deepStrictEqual([command, kind, cwd], ['runInTerminal', 'integrated', '/']);
	const child = spawn(args[0], args.slice(1), { cwd, stdio: ['ignore', 'pipe', 'inherit'] });
	let text = '';
	child.stdout.on('data', data => { text += data; });
	const written = new Promise(resolve => child.stdout.on('end', resolve));
	const response = JSON.stringify({ seq: 1000, type: 'response', request_seq: seq, command, success: true,
		body: { shellProcessId: child.pid } });
	dc.outputStream.write(`Content-Length: ${Buffer.byteLength(response)}\r\n\r\n${response}`);
	await launched;
	const [{ body }] = await Promise.all([dc.waitForEvent('exited'), dc.configurationDoneRequest()]);
	await written;
	assert.deepStrictEqual([body.exitCode, text], [5, 'a b 1\n']);
}, null);
test('launch: a client without a terminal', async dc => {
	await dc.initializeRequest();
	await dc.fails('launch', { program: 'true', console: 'integratedTerminal' }, /no terminal/);
	await dc.fails('launch', { program: 'true', console: 'somewhere' }, /console/);
}, null);

test('allStop: a log point lets all go on', async (dc, target) => {
	await dc.attach(target.pid, { allStop: true });
	await dc.set([{ line: WRITE, logMessage: 'depth {depth}' }]);
	await Promise.all([dc.assertOutput('console', 'depth 1\n'), target.poke()]);
	assert.strictEqual(await target.reads(), 'x');
	const before = await dc.value('ticks', 'hover');
	while (await dc.value('ticks', 'hover') === before)
		;
}, 'plain', 'threads');

// ---- children ----

// Requests of the adapter's, which the client does not know, as they come.
function asked(dc) {
	const { dispatch } = dc;
	return new Promise(resolve => {
		dc.dispatch = body => {
			const message = JSON.parse(body);
			if (message.type === 'request')
				resolve(message);
			else
				dispatch.call(dc, body);
		};
	});
}

test('followChildren: the client is asked to attach to a child', async dc => {
	const request = asked(dc);
	await dc.initializeRequest({ adapterID: 'x', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path',
		supportsStartDebuggingRequest: true });
	await Promise.all([dc.waitForEvent('initialized'), dc.launchRequest({ program: 'sh', cwd: '/', followChildren: true,
		args: ['-c', '(sleep 1000; true) & echo $!; wait'] })]);
	const out = dc.waitForEvent('output');
	await dc.configurationDoneRequest();
	const { command, arguments: { request: kind, configuration } } = await request;
	const child = Number((await out).body.output);
	assert.deepStrictEqual([command, kind, configuration.pid, configuration.cwd],
		['startDebugging', 'attach', child, '/']);
	process.kill(child, 'SIGKILL');
}, null);
test('followChildren: a client that begins no sessions', async (dc, target) => {
	await dc.initializeRequest();
	await dc.fails('attach', { pid: target.pid, followChildren: true }, /begins no sessions/);
});

// ---- breakpoints ----

test('should stop on a breakpoint, verified before configurationDone', async (dc, target) => {
	await Promise.all([
		dc.initializeRequest().then(() => dc.attachRequest({ pid: target.pid })),
		dc.waitForEvent('initialized').then(async () => {
			assert.strictEqual((await dc.set([WRITE]))[0].verified, true);
			await dc.configurationDoneRequest();
			target.poke();
		}),
		dc.assertStoppedLocation('breakpoint', { path: plain.path, line: WRITE }),
	]);
	await dc.goesOn(target);
});
test('breakpoints are set while it runs', async (dc, target) => {
	await dc.attach(target.pid);
	const [set] = await dc.set([WRITE]);
	await dc.stops(() => target.poke(), { reason: 'breakpoint', hitBreakpointIds: [set.id] });
	await dc.goesOn(target);
});
test('a breakpoint that is taken away is not hit', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([WRITE]);
	assert.deepStrictEqual(await dc.set([]), []);
	await target.answers();
});
test('a breakpoint that is asked for again keeps its id', async (dc, target) => {
	await dc.attach(target.pid);
	const [first] = await dc.set([WRITE]);
	const again = await dc.set([NOTE, WRITE]);
	assert.strictEqual(again[1].id, first.id);
});
test('a line without code moves to one that has', async (dc, target) => {
	await dc.attach(target.pid);
	const [set] = await dc.set([line('plain.c', 'int note(void)') + 1]);
	assert.deepStrictEqual([set.verified, set.line], [true, NOTE]);
});
test('a line behind the end, and a file of no such name', async (dc, target) => {
	await dc.attach(target.pid);
	const [far] = await dc.set([100000]);
	const [other] = await dc.set([1], { path: '/no/such.c' });
	for (const each of [far, other])
		assert(!each.verified && each.message, JSON.stringify(each));
});
test('lines count from 0 when the client says so', async (dc, target) => {
	await dc.initializeRequest({ adapterID: 'x', linesStartAt1: false, columnsStartAt1: false, pathFormat: 'path' });
	await dc.attachRequest({ pid: target.pid });
	assert.strictEqual((await dc.set([WRITE - 1]))[0].line, WRITE - 1);
	await dc.stops(() => target.poke());
	const [frame] = await dc.frames(target.pid);
	assert.deepStrictEqual([frame.line, frame.column], [WRITE - 1, 0]);
});
test('a condition that holds stops', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([{ line: WRITE, condition: "c == 'b'" }]);
	await target.answers();
	await dc.stops(() => target.poke('b'));
});
test('a condition that does not hold lets go', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([{ line: WRITE, condition: 'depth == 7' }]);
	await target.answers();
});
test('a condition that calls', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([{ line: WRITE, condition: 'add(depth, 1) == 2' }]);
	await dc.stops(() => target.poke());
});
test('a condition that is wrong says so when it is set', async (dc, target) => {
	await dc.attach(target.pid);
	const [set] = await dc.set([{ line: WRITE, condition: 'no_such == 1' }]);
	assert(!set.verified);
	assert.match(set.message, /no_such/);
});
for (const [condition, pokes] of [['2', 2], ['== 2', 2], ['>= 3', 3], ['> 1', 2], ['% 2', 2]]) {
	test(`hit condition ${condition}`, async (dc, target) => {
		await dc.attach(target.pid);
		await dc.set([{ line: WRITE, hitCondition: condition }]);
		for (let i = 1; i < pokes; i++)
			await target.answers();
		await dc.stops(() => target.poke());
	});
}
test('a hit condition that is none says so', async (dc, target) => {
	await dc.attach(target.pid);
	const [set] = await dc.set([{ line: WRITE, hitCondition: 'often' }]);
	assert.match(set.message, /hit condition/);
});
test('should assert a log point\'s output', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([{ line: WRITE, logMessage: 'depth {depth}' }]);
	await Promise.all([dc.assertOutput('console', 'depth 1\n'), target.poke()]);
	assert.strictEqual(await target.reads(), 'x');
});
test('a log point calls, and says what it cannot show', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([{ line: WRITE, logMessage: '{add(depth, 40)} {no_such}' }]);
	await Promise.all([dc.assertOutput('console', '41 <'), target.poke()]);
});
test('function breakpoints', async (dc, target) => {
	await dc.attach(target.pid);
	const { breakpoints: [good, bad] } = await dc.ask('setFunctionBreakpoints',
		{ breakpoints: [{ name: 'walk' }, { name: 'no_such' }] });
	assert(good.verified && !bad.verified && bad.message);
	const stop = await dc.stops(() => {}, { reason: 'function breakpoint' });
	assert.strictEqual((await dc.frames(stop.threadId))[0].line, line('stepped.c', '// walk 1'));
}, 'stepped');
test('instruction breakpoints', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { breakpoints: [set] } = await dc.ask('setInstructionBreakpoints',
		{ breakpoints: [{ instructionReference: frame.instructionPointerReference }] });
	assert(set.verified);
	await dc.goesOn(target);
	await dc.stops(() => target.poke(), { reason: 'instruction breakpoint' });
});
test('breakpoint locations', async (dc, target) => {
	await dc.attach(target.pid);
	const { breakpoints } = await dc.ask('breakpointLocations', { source: plain, line: NOTE - 2, endLine: NOTE });
	assert.deepStrictEqual(breakpoints, [{ line: NOTE }]);
});
test('a path that the program was compiled with, mapped', async (dc, target) => {
	await dc.attach(target.pid, { sourceMap: { [sources]: '/elsewhere' }, cwd: '/' });
	assert((await dc.set([WRITE], { path: '/elsewhere/plain.c' }))[0].verified ||
		(await dc.set([WRITE], plain))[0].verified);
});

// ---- data breakpoints ----

const watch = async (dc, args, extra = {}) => {
	const info = await dc.ask('dataBreakpointInfo', args);
	assert(info.dataId, JSON.stringify(info));
	return (await dc.ask('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, ...extra }] })).breakpoints[0];
};
test('a data breakpoint tells what was and what is', async (dc, target) => {
	await dc.attach(target.pid);
	const set = await watch(dc, { name: 'sink' });
	assert(set.verified, JSON.stringify(set));
	const stop = await dc.stops(() => {}, { reason: 'data breakpoint', hitBreakpointIds: [set.id] });
	assert.match(stop.description, /sink was -?\d+, is -?\d+/);
	await dc.ask('setDataBreakpoints', { breakpoints: [] });
	await dc.ask('continue', { threadId: stop.threadId });
}, 'stepped');
test('a data breakpoint on reads and writes', async (dc, target) => {
	await dc.attach(target.pid);
	const set = await watch(dc, { name: 'sink' }, { accessType: 'readWrite' });
	assert(set.verified, JSON.stringify(set));
	await dc.stops(() => {}, { reason: 'data breakpoint' });
}, 'stepped');
test('a data breakpoint with a condition', async (dc, target) => {
	await dc.attach(target.pid);
	await watch(dc, { name: 'sink' }, { condition: 'sink == 7' });
	const stop = await dc.stops(() => {}, { reason: 'data breakpoint' });
	assert.match(stop.description, /is 7$/);
}, 'stepped');
test('a data breakpoint on a local ends with its frame', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.set([line('stepped.c', '// walk 4')], stepped);
	const { threadId } = await dc.stops(() => {});
	await dc.set([], stepped);
	const [frame] = await dc.frames(threadId);
	const { variablesReference } = await dc.scope(frame, 'Locals');
	const set = await watch(dc, { variablesReference, name: 'total' });
	assert(set.verified, JSON.stringify(set));
	await dc.stops(() => dc.ask('continue', { threadId }), { reason: 'data breakpoint' });
	// Its thousands of turns are no test of ours: only what ends with the frame is.
	await dc.ask('setDataBreakpoints', { breakpoints: [] });
	await dc.set([line('stepped.c', '// walk 8')], stepped);
	await dc.stops(() => dc.ask('continue', { threadId }), { reason: 'breakpoint' });
	await dc.set([], stepped);
	const [last] = await dc.frames(threadId);
	const again = await watch(dc, { variablesReference: (await dc.scope(last, 'Locals')).variablesReference, name: 'total' });
	assert(again.verified, JSON.stringify(again));
	const [gone, stop] = await Promise.all([dc.waitForEvent('breakpoint'), dc.waitForEvent('stopped'),
		dc.ask('continue', { threadId })]);
	assert.deepStrictEqual([gone.body.reason, gone.body.breakpoint.id], ['removed', again.id]);
	assert.match(stop.body.description, /has returned/);
}, 'stepped');
test('what cannot be watched says why', async (dc, target) => {
	const [frame] = await dc.stands(target);
	for (const [name, why] of [['word', /bytes/], ['parts.low', /bit-field/], ['$rax', /register/], ['add(1, 2)', /calls/],
		['no_such', /no_such/], ['1 + 2', /no object/]]) {
		const info = await dc.ask('dataBreakpointInfo', { name, frameId: frame.id });
		assert.strictEqual(info.dataId, null, name);
		assert.match(info.description, why);
	}
});
test('bytes at an address are watched', async (dc, target) => {
	await dc.attach(target.pid);
	const set = await watch(dc, { name: await dc.value('(long) &sink', 'watch'), asAddress: true, bytes: 4 });
	assert(set.verified, JSON.stringify(set));
	await dc.stops(() => {}, { reason: 'data breakpoint' });
}, 'stepped');
test('data of a frame that has run on is not watched', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { dataId } = await dc.ask('dataBreakpointInfo', { name: 'local', frameId: frame.id });
	await dc.goesOn(target);
	const { breakpoints: [set] } = await dc.ask('setDataBreakpoints', { breakpoints: [{ dataId }] });
	assert(!set.verified);
	assert.match(set.message, /run on/);
});

// ---- exceptions ----

test('exception filters are told, with what they take', async dc => {
	const filters = (await dc.initializeRequest()).body.exceptionBreakpointFilters;
	assert.deepStrictEqual(filters.map(each => each.filter),
		['faults', 'throw', 'rethrow', 'catch', 'panic', 'signals', 'syscalls', 'forks']);
	assert(filters[1].supportsCondition);
}, null);
test('throw stops, with its information', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.setExceptionBreakpointsRequest({ filters: ['throw'] });
	const { threadId } = await dc.stops(() => target.poke('x\n'), { reason: 'exception', text: 'throw' });
	assert.strictEqual((await dc.ask('exceptionInfo', { threadId })).exceptionId, 'throw');
	assert((await dc.frames(threadId)).some(frame => frame.name.includes('throw_it')));
	await dc.ask('continue', { threadId });
	assert.strictEqual(await target.reads(2), '0\n');
}, 'thrower');
test('catch stops', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.setExceptionBreakpointsRequest({ filters: ['catch'] });
	const { threadId } = await dc.stops(() => target.poke('x\n'), { reason: 'exception', text: 'catch' });
	await dc.ask('continue', { threadId });
	assert.strictEqual(await target.reads(2), '0\n');
}, 'thrower');
test('an exception filter\'s condition', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.ask('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'throw', condition: 'thrown == 3' }] });
	for (const value of ['0\n', '1\n']) {
		target.poke('x\n');
		assert.strictEqual(await target.reads(2), value);
	}
	await dc.stops(() => target.poke('x\n'), { reason: 'exception' });
}, 'thrower');
test('signals of some names stop', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.ask('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'signals', condition: 'USR1 SIGUSR2' }] });
	const { threadId } = await dc.stops(() => process.kill(target.pid, 'SIGUSR1'), { reason: 'exception', text: 'SIGUSR1' });
	assert.strictEqual((await dc.ask('exceptionInfo', { threadId })).exceptionId, 'SIGUSR1');
});
test('system calls of some names stop, before and behind', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.ask('setExceptionBreakpoints', { filters: [], filterOptions: [{ filterId: 'syscalls', condition: 'write' }] });
	const { threadId } = await dc.stops(() => target.poke(), { reason: 'exception', description: 'before write' });
	await dc.stops(() => dc.ask('continue', { threadId }), { reason: 'exception', description: 'write gave 1' });
	await dc.ask('continue', { threadId });
	assert.strictEqual(await target.reads(), 'x');
});
test('a system call of no such name says so', async (dc, target) => {
	await dc.attach(target.pid);
	const { breakpoints: [set] } = await dc.ask('setExceptionBreakpoints',
		{ filters: [], filterOptions: [{ filterId: 'syscalls', condition: 'no_such' }] });
	assert(!set.verified);
	assert.match(set.message, /no_such/);
});
test('a fault stops before it is received', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.setExceptionBreakpointsRequest({ filters: ['faults'] });
	await dc.set([NOTE]);
	const { threadId } = await dc.stops(() => process.kill(target.pid, 'SIGSEGV'), { reason: 'exception' });
	assert.strictEqual((await dc.ask('exceptionInfo', { threadId })).exceptionId, 'SIGSEGV');
	await Promise.all([dc.waitForEvent('terminated'), dc.ask('continue', { threadId })]);
	assert.strictEqual(await target.ended, 'SIGSEGV');
});
test('an exception filter of no such name', async (dc, target) => {
	await dc.attach(target.pid);
	const { breakpoints } = await dc.ask('setExceptionBreakpoints', { filters: ['boredom'] });
	assert(!breakpoints[0].verified && breakpoints[0].message);
});

// ---- going on ----

const walks = async (dc, target, text, extra) => {
	await dc.attach(target.pid, extra);
	await dc.set([line('stepped.c', text)], stepped);
	const { threadId } = await dc.stops(() => {}, { reason: 'breakpoint' });
	await dc.set([], stepped);
	return threadId;
};
const steps = async (dc, command, threadId, wanted, extra = {}) => {
	await dc.stops(() => dc.ask(command, { threadId, ...extra }), { reason: 'step', threadId });
	const [frame] = await dc.frames(threadId);
	if (wanted)
		assert.strictEqual(frame.line, line('stepped.c', wanted));
	return frame;
};
test('next goes to the next line', async (dc, target) =>
	steps(dc, 'next', await walks(dc, target, '// walk 1'), '// walk 2'), 'stepped');
test('stepIn goes into what the line calls', async (dc, target) =>
	steps(dc, 'stepIn', await walks(dc, target, '// walk 1'), '// leaf 1'), 'stepped');
test('stepOut goes to the caller', async (dc, target) => {
	const frame = await steps(dc, 'stepOut', await walks(dc, target, '// leaf 1'));
	assert.strictEqual(frame.name, 'walk');
}, 'stepped');
test('stepOut shows what the function gave', async (dc, target) => {
	const threadId = await walks(dc, target, '// leaf 1');
	const frame = await steps(dc, 'stepOut', threadId);
	assert.deepStrictEqual(Object.values(await dc.locals(frame, 'Return value')).map(each => each.value), ['6']);
	assert.strictEqual(await dc.scope(await steps(dc, 'next', threadId), 'Return value'), undefined);
}, 'stepped');
test('next over a recursion is one stop', async (dc, target) =>
	steps(dc, 'next', await walks(dc, target, '// walk 2'), '// walk 3'), 'stepped');
test('next by an instruction', async (dc, target) => {
	const threadId = await walks(dc, target, '// walk 7');
	const at = async () => parseInt((await dc.frames(threadId))[0].instructionPointerReference, 16);
	const before = await at();
	await steps(dc, 'next', threadId, null, { granularity: 'instruction' });
	const moved = await at() - before;
	assert(moved > 0 && moved <= 15, moved);
}, 'stepped');
test('stepIn has targets, and goes to the one that is chosen', async (dc, target) => {
	const threadId = await walks(dc, target, '// walk 2');
	const [frame] = await dc.frames(threadId);
	const { targets: list } = await dc.ask('stepInTargets', { frameId: frame.id });
	assert.deepStrictEqual(list.map(each => each.label), ['fib']);
	await steps(dc, 'stepIn', threadId, '// fib 1', { targetId: list[0].id });
}, 'stepped');
test('a step of a thread that runs is refused', async (dc, target) => {
	await dc.attach(target.pid);
	for (const command of ['next', 'stepIn', 'stepOut', 'goto'])
		await dc.fails(command, { threadId: target.pid, targetId: 1 }, /notStopped/);
});
test('goto another line of the function', async (dc, target) => {
	const threadId = await walks(dc, target, '// walk 1');
	const to = line('stepped.c', '// walk 7');
	const { targets: [there] } = await dc.ask('gotoTargets', { source: stepped, line: to });
	await dc.stops(() => dc.ask('goto', { threadId, targetId: there.id }), { reason: 'goto', threadId });
	assert.strictEqual((await dc.frames(threadId))[0].line, to);
	await steps(dc, 'next', threadId, '// walk 8');
}, 'stepped');
test('goto another function is refused', async (dc, target) => {
	const threadId = await walks(dc, target, '// walk 1');
	const { targets: [there] } = await dc.ask('gotoTargets', { source: stepped, line: line('stepped.c', '// fib 1') });
	await dc.fails('goto', { threadId, targetId: there.id }, /another function/);
}, 'stepped');
test('goto where there is no code has no targets', async (dc, target) => {
	await dc.attach(target.pid);
	assert.deepStrictEqual((await dc.ask('gotoTargets', { source: stepped, line: 100000 })).targets, []);
}, 'stepped');
test('should pause and continue', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.stops(() => dc.pauseRequest({ threadId: target.pid }), { reason: 'pause', allThreadsStopped: true });
	for (const thread of (await dc.threadsRequest()).body.threads)
		assert((await dc.frames(thread.id)).length > 0);
	await dc.ask('continue', { threadId: target.pid });
	await target.answers();
}, 'plain', 'threads');
test('pause when all stand is told, too', async (dc, target) => {
	await dc.attach(target.pid);
	for (let i = 0; i < 2; i++)
		await dc.stops(() => dc.pauseRequest({ threadId: target.pid }), { reason: 'pause' });
}, 'plain', 'threads');
test('pause undoes a call that runs', async (dc, target) => {
	await dc.attach(target.pid, { callTimeout: 0 });
	const call = assert.rejects(dc.evaluateRequest({ expression: 'spin()', context: 'repl' }), /cancelled/);
	await dc.stops(() => dc.pauseRequest({ threadId: target.pid }), { reason: 'pause' });
	await call;
	assert(!(await dc.frames(target.pid)).some(frame => frame.name === 'spin'));
});
test('continue says who goes on', async (dc, target) => {
	await dc.stands(target);
	assert.deepStrictEqual(await dc.ask('continue', { threadId: target.pid, granularity: 'statement' }),
		{ allThreadsContinued: true });
	await target.reads();
});
test('continue of one thread', async (dc, target) => {
	await dc.stands(target);
	assert.deepStrictEqual(await dc.ask('continue', { threadId: target.pid, singleThread: true }),
		{ allThreadsContinued: false });
	await target.reads();
});
test('continue of a process that runs', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('continue', { threadId: target.pid }, /notStopped/);
});

// ---- threads, stacks, variables ----

test('threads of a process that runs', async (dc, target) => {
	await dc.attach(target.pid);
	assert.deepStrictEqual((await dc.threadsRequest()).body.threads.map(each => each.name), ['plain', 'plain']);
}, 'plain', 'threads');
test('the stack of a thread that runs', async (dc, target) => {
	await dc.attach(target.pid);
	await until(() => target.state() === 'S');
	assert((await dc.frames(target.pid)).some(frame => frame.name === 'wait_here'));
	await target.answers();
});
test('stacks come in pages', async (dc, target) => {
	const all = await dc.stands(target);
	const body = await dc.ask('stackTrace', { threadId: target.pid, startFrame: 1, levels: 2 });
	assert.deepStrictEqual(body.stackFrames.map(each => each.name), all.slice(1, 3).map(each => each.name));
	assert.strictEqual(body.totalFrames, all.length);
});
test('a frame has its file, line and address', async (dc, target) => {
	const [frame] = await dc.stands(target);
	assert.deepStrictEqual([frame.name, frame.source.path, frame.line], ['wait_here', plain.path, WRITE]);
	assert.match(frame.instructionPointerReference, /^0x[0-9a-f]+$/);
});
test('the stack of no thread', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('stackTrace', { threadId: 1 }, /thread/);
	await dc.fails('stackTrace', { threadId: 'x' }, /integer/);
});
test('scopes', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { scopes } = await dc.ask('scopes', { frameId: frame.id });
	assert.deepStrictEqual(scopes.map(each => [each.name, each.expensive]),
		[['Arguments', false], ['Locals', false], ['Registers', true], ['Vector registers', true]]);
});
test('arguments and locals of every frame', async (dc, target) => {
	for (const [i, frame] of (await dc.stands(target)).slice(0, 3).entries()) {
		assert.strictEqual((await dc.locals(frame, 'Arguments')).depth.value, String(i + 1));
		assert.strictEqual((await dc.locals(frame)).local.value, `${i + 1}00`);
	}
});
test('registers', async (dc, target) => {
	const [frame] = await dc.stands(target);
	assert.strictEqual((await dc.locals(frame, 'Registers')).rip.value.split(' ')[0].length > 2, true);
});
test('members of a local', async (dc, target) => {
	const frames = await dc.stands(target);
	const { both } = await dc.locals(frames[1]);
	assert.deepStrictEqual((await dc.children(both.variablesReference)).map(each => [each.name, each.value]),
		[['a', '2'], ['b', '2.5']]);
});
test('arrays come in pages', async (dc, target) => {
	await dc.attach(target.pid);
	const { variablesReference, indexedVariables } = await dc.ask('evaluate', { expression: 'word', context: 'watch' });
	assert.strictEqual(indexedVariables, 32);
	const page = await dc.children(variablesReference, { filter: 'indexed', start: 2, count: 3 });
	assert.deepStrictEqual(page.map(each => each.name), ['[2]', '[3]', '[4]']);
});
test('pointers open', async (dc, target) => {
	await dc.attach(target.pid);
	const { variablesReference } = await dc.ask('evaluate', { expression: 'parts.pair', context: 'watch' });
	assert.deepStrictEqual((await dc.children(variablesReference)).map(each => each.value), ['3', '4.5']);
});
test('numbers in hexadecimal', async (dc, target) => {
	await dc.attach(target.pid);
	assert.strictEqual((await dc.ask('evaluate', { expression: 'hidden', context: 'watch', format: { hex: true } })).result,
		'0x11');
});
test('a part\'s name evaluates to it', async (dc, target) => {
	await dc.attach(target.pid);
	const { variablesReference } = await dc.ask('evaluate', { expression: 'parts', context: 'watch' });
	for (const { evaluateName, value, name } of (await dc.children(variablesReference)).slice(0, 2))
		assert.strictEqual(await dc.value(evaluateName, 'watch'), value, name);
});
test('setVariable of a local', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { variablesReference } = await dc.scope(frame, 'Locals');
	assert.strictEqual((await dc.ask('setVariable', { variablesReference, name: 'local', value: '7' })).value, '7');
	assert.strictEqual((await dc.locals(frame)).local.value, '7');
});
test('setVariable of a part, in its own frame', async (dc, target) => {
	const frames = await dc.stands(target);
	const { both } = await dc.locals(frames[2]);
	await dc.ask('setVariable', { variablesReference: both.variablesReference, name: 'a', value: '77' });
	assert.strictEqual(await dc.value('both.a', 'watch', frames[2]), '77');
	assert.strictEqual(await dc.value('both.a', 'watch', frames[0]), '1');
});
test('setVariable of what is not there, or to what is not', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { variablesReference } = await dc.scope(frame, 'Locals');
	await dc.fails('setVariable', { variablesReference, name: 'local', value: 'no_such' }, /no_such/);
	await dc.fails('setVariable', { variablesReference, name: 'nobody', value: '1' }, /nobody/);
	await dc.fails('setVariable', { variablesReference: 123456, name: 'local', value: '1' }, /any more/);
});
test('setExpression', async (dc, target) => {
	await dc.attach(target.pid);
	assert.strictEqual((await dc.ask('setExpression', { expression: 'hidden', value: 'add(1, 2)' })).value, '3');
	await dc.fails('setExpression', { expression: 'add(1, 2)', value: '3' }, /object/);
});
test('what was shown of a stop is gone with it', async (dc, target) => {
	const [frame] = await dc.stands(target);
	const { variablesReference } = await dc.scope(frame, 'Locals');
	await dc.goesOn(target);
	await dc.fails('scopes', { frameId: frame.id }, /no frame/);
	await dc.fails('variables', { variablesReference }, /any more/);
});

// ---- evaluate ----

test('evaluate: plain expressions call, "call" and "print" are accepted', async (dc, target) => {
	await dc.attach(target.pid);
	for (const text of ['add(1,2)', 'call add(1,2)', 'print add(1,2)'])
		assert.strictEqual(await dc.value(text), '3');
});
test('evaluate: results have numbers', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.value('add(1,2)');
	assert.strictEqual(await dc.value('$1 + 4'), '7');
});
test('evaluate: a structure as a result', async (dc, target) => {
	await dc.attach(target.pid);
	const { result, variablesReference } = await dc.ask('evaluate', { expression: 'make_pair(3, 1.5)', context: 'repl' });
	assert.strictEqual(result, '{a = 3, b = 1.5}');
	assert.deepStrictEqual((await dc.children(variablesReference)).map(each => each.value), ['3', '1.5']);
});
test('evaluate: a literal as an argument', async (dc, target) => {
	await dc.attach(target.pid);
	assert.match(await dc.value('set_word("hello")'), /"hello"/);
});
test('evaluate: in each frame', async (dc, target) => {
	const frames = await dc.stands(target);
	assert.strictEqual(await dc.value('add(depth, 40)', 'repl', frames[2]), '43');
	assert.strictEqual(await dc.value('depth', 'hover', frames[1]), '2');
});
test('evaluate: hover shows variables', async (dc, target) => {
	await dc.attach(target.pid);
	assert.strictEqual(await dc.value('hidden', 'hover'), '17');
});
test('evaluate: hover carries a place, which is tolerated', async (dc, target) => {
	await dc.attach(target.pid);
	assert.strictEqual((await dc.ask('evaluate', { expression: 'hidden', context: 'hover', line: 3, column: 1,
		source: { path: 'vscode-remote://x/plain.c' } })).result, '17');
});
test('evaluate: hover refuses calls', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('evaluate', { expression: 'note()', context: 'hover' }, /calls a function/);
	assert.strictEqual(await dc.value('notes', 'hover'), '0');
});
test('evaluate: hover refuses assignments', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('evaluate', { expression: 'notes = 4', context: 'hover' }, /assigns/);
});
test('evaluate: a watch that calls waits until it is opened', async (dc, target) => {
	await dc.attach(target.pid);
	const shown = await dc.ask('evaluate', { expression: 'note()', context: 'watch' });
	assert(!shown.presentationHint.lazy, 'VS Code fetches by itself what is called lazy');
	assert.strictEqual(await dc.value('notes', 'watch'), '0');
	assert.deepStrictEqual((await dc.children(shown.variablesReference)).map(each => each.value), ['1']);
});
test('evaluate: watchCalls always', async (dc, target) => {
	await dc.attach(target.pid, { watchCalls: 'always' });
	assert.deepStrictEqual([await dc.value('note()', 'watch'), await dc.value('note()', 'watch')], ['1', '2']);
});
test('evaluate: watchCalls once-per-stop', async (dc, target) => {
	const [frame] = await dc.stands(target, { watchCalls: 'once-per-stop' });
	for (let i = 0; i < 3; i++)
		assert.strictEqual(await dc.value('note()', 'watch', frame), '1');
});
test('evaluate: replCalls never, for editors whose hover is a line of the console', async (dc, target) => {
	await dc.attach(target.pid, { replCalls: 'never' });
	await dc.fails('evaluate', { expression: 'note()', context: 'repl' }, /replCalls/);
	assert.strictEqual(await dc.value('hidden'), '17');
});
test('evaluate: the clipboard gets the whole value', async (dc, target) => {
	await dc.attach(target.pid);
	assert.match(await dc.value('word', 'clipboard'), /^"before"/);
});
test('evaluate: what is wrong is said', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('evaluate', { expression: '1 +', context: 'watch' }, /./);
	await dc.fails('evaluate', { expression: 'no_such', context: 'watch' }, /no_such/);
	await dc.fails('evaluate', { expression: 'add(1)', context: 'repl' }, /add/);
	await dc.fails('evaluate', { expression: '', context: 'repl' }, /no expression/);
});
test('evaluate: the shell\'s commands', async (dc, target) => {
	await dc.attach(target.pid);
	await until(() => target.state() === 'S');
	assert.match(await dc.value('stacks'), /wait_here/);
	await dc.fails('evaluate', { expression: 'functions (', context: 'repl' }, /as a command/);
});
test('evaluate: a crash is contained', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.fails('evaluate', { expression: 'crash()', context: 'repl' }, /SIGSEGV/);
	await target.answers();
});
test('evaluate: the deadline is named', async (dc, target) => {
	await dc.attach(target.pid, { callTimeout: '100ms' });
	await dc.fails('evaluate', { expression: 'spin()', context: 'repl' }, /100 ms/);
	await target.answers();
});
test('evaluate: a call is cancelled by its number', async (dc, target) => {
	await dc.attach(target.pid, { callTimeout: 0 });
	const call = assert.rejects(dc.evaluateRequest({ expression: 'spin()', context: 'repl' }), /cancelled/);
	await dc.ask('cancel', { requestId: dc.sequence - 1 });
	await call;
	await target.answers();
});
test('evaluate: a slow call has progress, and its cancel undoes it', async (dc, target) => {
	await dc.initializeRequest({ adapterID: 'x', linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path',
		supportsProgressReporting: true });
	await dc.attachRequest({ pid: target.pid, callTimeout: 0 });
	const call = assert.rejects(dc.evaluateRequest({ expression: 'spin()', context: 'repl' }), /cancelled/);
	const { body: { progressId, cancellable } } = await dc.waitForEvent('progressStart');
	assert(cancellable);
	await Promise.all([dc.waitForEvent('progressEnd'), dc.ask('cancel', { progressId }), call]);
});
test('evaluate: cancel of what is not there is harmless', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.ask('cancel', { requestId: 4711 });
	await dc.ask('cancel', { progressId: 'nobody' });
	await dc.ask('cancel', {});
});
test('evaluate: others are answered while a call runs', async (dc, target) => {
	await dc.attach(target.pid, { callTimeout: 0 });
	const call = assert.rejects(dc.evaluateRequest({ expression: 'spin()', context: 'repl' }), /cancelled/);
	assert.strictEqual((await dc.threadsRequest()).body.threads.length, 1);
	await dc.disconnectRequest({ terminateDebuggee: false });
	await call;
	await target.answers();
	return 'ended';
});

// ---- the rest ----

test('modules', async (dc, target) => {
	await dc.attach(target.pid);
	const { modules, totalModules } = await dc.ask('modules', {});
	assert.strictEqual(modules.length, totalModules);
	assert(modules.some(each => each.name === 'plain' && each.symbolStatus === 'debug information'));
});
test('loaded sources', async (dc, target) => {
	await dc.attach(target.pid);
	assert((await dc.ask('loadedSources', {})).sources.some(each => each.path === plain.path));
});
test('the text of a source', async (dc, target) => {
	await dc.attach(target.pid);
	assert.match((await dc.ask('source', { source: plain, sourceReference: 0 })).content, /int add\(int a, int b\)/);
	await dc.fails('source', { source: { path: '/dev/zero' }, sourceReference: 0 }, /cannot be read/);
});
test('machine code, exact counts and negative offsets', async (dc, target) => {
	await dc.attach(target.pid);
	const { memoryReference } = await dc.ask('evaluate', { expression: '&walk', context: 'watch' });
	const list = async (instructionOffset, instructionCount) => (await dc.ask('disassemble',
		{ memoryReference, instructionOffset, instructionCount, resolveSymbols: true })).instructions;
	const behind = await list(0, 10);
	assert.strictEqual(behind[0].address, memoryReference);
	assert.deepStrictEqual((await list(-10, 20)).slice(10).map(each => each.address), behind.map(each => each.address));
	await dc.fails('disassemble', { memoryReference: '', instructionCount: 1 }, /no address/);
}, 'stepped');
test('memory is read and written', async (dc, target) => {
	await dc.attach(target.pid);
	const { memoryReference } = await dc.ask('evaluate', { expression: 'word', context: 'watch' });
	const data = text => Buffer.from(text).toString('base64');
	assert.strictEqual((await dc.ask('readMemory', { memoryReference, count: 6 })).data, data('before'));
	await dc.ask('writeMemory', { memoryReference, data: data('B') });
	assert.match(await dc.value('word', 'clipboard'), /^"Before"/);
	assert.strictEqual((await dc.ask('readMemory', { memoryReference: '0x10', count: 4 })).unreadableBytes, 4);
});
const complete = async (dc, text, extra = {}) =>
	(await dc.ask('completions', { text, column: text.length + 1, ...extra })).targets.map(each => each.label);
test('completions: functions and commands', async (dc, target) => {
	await dc.attach(target.pid);
	assert((await complete(dc, 'make_p')).includes('make_pair'));
	assert((await complete(dc, 'stac')).includes('stacks'));
	assert((await complete(dc, 'call make_p')).includes('make_pair'));
});
test('completions: the cursor is before brackets that the console closed', async (dc, target) => {
	await dc.attach(target.pid);
	const { targets: list } = await dc.ask('completions', { text: 'make_p()', column: 7 });
	assert.deepStrictEqual(list.map(each => [each.label, each.start, each.length]), [['make_pair', 1, 6]]);
});
test('completions: members', async (dc, target) => {
	await dc.attach(target.pid);
	assert.deepStrictEqual((await complete(dc, 'parts.pair->')).sort(), ['a', 'b']);
});
test('completions: locals of the frame, and their members', async (dc, target) => {
	const frames = await dc.stands(target);
	for (const frame of frames.slice(0, 2)) {
		assert((await complete(dc, 'dep', { frameId: frame.id })).includes('depth'));
		assert.deepStrictEqual((await complete(dc, '1 + both.', { frameId: frame.id })).sort(), ['a', 'b']);
	}
});
test('should end on disconnect, and the target runs on', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.disconnectRequest({ terminateDebuggee: false });
	await target.answers();
	return 'ended';
});
test('disconnect from a stop: the target runs on', async (dc, target) => {
	await dc.stands(target);
	await dc.disconnectRequest({ terminateDebuggee: false, suspendDebuggee: false });
	assert.strictEqual(await target.reads(), 'x');
	await target.answers();
	return 'ended';
});
test('disconnect with suspendDebuggee leaves it stopped', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.disconnectRequest({ suspendDebuggee: true });
	await until(() => target.state() === 'T');
	process.kill(target.pid, 'SIGCONT');
	await target.answers();
	return 'ended';
});
test('disconnect with terminateDebuggee ends what was attached to', async (dc, target) => {
	await dc.attach(target.pid);
	await dc.disconnectRequest({ terminateDebuggee: true });
	assert.strictEqual(await target.ended, 'SIGKILL');
	return 'ended';
});
test('the end of input ends the adapter with 0, a stop or not', async (dc, target) => {
	await dc.stands(target);
	const ended = new Promise(resolve => dc._adapterProcess.on('exit', resolve));
	dc._adapterProcess.stdin.end();
	assert.strictEqual(await ended, 0);
	assert.strictEqual(await target.reads(), 'x');
	return 'ended';
});
test('the target\'s end is told', async (dc, target) => {
	await dc.attach(target.pid);
	await Promise.all([dc.waitForEvent('terminated'), target.child.kill('SIGKILL')]);
});

(async () => {
	const chosen = tests.filter(([title]) => !only || title.includes(only));
	let next = 0, failures = 0;
	const underWay = new Set();
	// Where nobody waits for anything any more, an adapter has ended that should not have.
	process.on('exit', () => underWay.forEach(title => console.log(`not ok - ${title}: the adapter is gone`)));
	// What waits for a condition leaves room for others.
	await Promise.all(os.cpus().map(async () => {
		while (next < chosen.length) {
			const [title, run, target] = chosen[next++];
			underWay.add(title);
			try {
				await within(run, target);
				console.log(`ok - ${title}`);
			} catch (error) {
				failures++;
				console.log(`not ok - ${title}: ${String(error && error.stack || error).replace(/\n/g, '\n# ')}`);
			}
			underWay.delete(title);
		}
	}));
	console.log(`1..${chosen.length}`);
	process.exit(failures ? 1 : 0);
})();
