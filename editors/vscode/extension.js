// SPDX-License-Identifier: MIT
// What the adapter cannot do by itself: pick a process, and show stacks while nothing is stopped.
const fs = require('fs');
const vscode = require('vscode');

function processes() {
	const items = [];
	const user = process.getuid();

	for (const pid of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
		try {
			if (user !== 0 && fs.statSync(`/proc/${pid}`).uid !== user)
				continue;
			const name = fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
			const line = fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0/g, ' ').trim();
			// Threads of the kernel have no command line.
			if (line)
				items.push({ label: name, description: pid, detail: line });
		} catch (error) {
			// It ended meanwhile.
		}
	}
	return items.sort((a, b) => Number(b.description) - Number(a.description));
}

async function pickProcess() {
	const item = await vscode.window.showQuickPick(processes(), {
		placeHolder: 'The process to attach to', matchOnDescription: true, matchOnDetail: true,
	});
	return item && item.description;
}

async function stacks() {
	const session = vscode.debug.activeDebugSession;
	if (!session || session.type !== 'debugcall')
		return;
	const answer = await session.customRequest('evaluate', { expression: 'stacks', context: 'repl' });
	const document = await vscode.workspace.openTextDocument({ content: answer.result });
	await vscode.window.showTextDocument(document);
}

exports.activate = context => {
	context.subscriptions.push(vscode.commands.registerCommand('debugcall.pickProcess', pickProcess),
		vscode.commands.registerCommand('debugcall.stacks', stacks));
};
