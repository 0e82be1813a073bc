// SPDX-License-Identifier: MIT
// set follow-fork-mode: the shell stays with the parent, or goes with the child.
#include "debugger/front/shell/children.h"

#include "debugger/front/report.h"
#include "debugger/front/shell/running.h"

#include <stdlib.h>
#include <string.h>

static bool follows_child(const struct shell *shell)
{
	return !strcmp(shell->settings.fork_mode, "child");
}

enum dc_children children_wanted(const struct shell *shell)
{
	return follows_child(shell) ? DC_CHILDREN_FIRST : DC_CHILDREN_LEFT;
}

int children_set_mode(struct shell *shell, const char *text)
{
	static const char *const words[] = { "parent", "child" };
	size_t i = !strcmp(text, words[1]);
	struct dc_error *err = NULL;

	if (strcmp(text, words[i]) != 0)
		return report_message(shell->out, DC_USAGE,
				      "follow-fork-mode wants parent or child, not '%.100s'", text);
	shell->settings.fork_mode = words[i];
	// A child is born followed where its parent is.
	if (shell->session && (i || dc_is_controlled(shell->session)))
		err = shell_control(shell);
	return err ? report_failure(shell->out, NULL, err) : 0;
}

int children_set_exec_mode(struct shell *shell, const char *text)
{
	if (!strcmp(text, "same"))
		return 0;
	return report_message(shell->out, DC_USAGE,
			      "a process stays what it is here when it becomes another program: "
			      "follow-exec-mode is same, not '%.100s'",
			      text);
}

int children_set_detach(struct shell *shell, const char *text)
{
	if (!*text || !strcmp(text, "on"))
		return 0;
	return report_message(shell->out, DC_USAGE,
			      "the process that is not followed runs on by itself here: "
			      "detach-on-fork is on, not '%.100s'",
			      text);
}

bool children_follow(struct shell *shell, const struct dc_event *event, bool goes)
{
	pid_t parent = shell->pid, child = event->child;
	struct dc_error *err;

	if (!follows_child(shell))
		return false;
	err = dc_follow(shell->session, child);
	if (err) {
		report_failure(shell->out, NULL, err);
		return false;
	}
	shell_forget_process(shell);
	shell->pid = child;
	report_note(shell->out,
		    "process %d has made process %d, which is followed%s; process %d "
		    "runs on by itself",
		    parent, child, event->is_exec ? " from its program's beginning on" : "",
		    parent);
	if (event->failure)
		report_note(shell->out, "process %d has run on before that: %s", child,
			    event->failure);
	err = shell_control(shell);
	if (!err && goes)
		err = shell_resume(shell, 0);
	if (err)
		report_failure(shell->out, NULL, err);
	return true;
}
