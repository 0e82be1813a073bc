// SPDX-License-Identifier: MIT
// Foreground group and modes of the terminal on standard input.
#include "debugger/front/shell/terminal.h"

#include <termios.h>
#include <unistd.h>

static struct {
	bool is_lent, has_modes;
	struct termios ours, its;
} shared;

bool terminal_is_ours(void)
{
	return isatty(STDIN_FILENO) && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

void terminal_lend(pid_t group)
{
	if (shared.is_lent || !terminal_is_ours() || tcgetattr(STDIN_FILENO, &shared.ours))
		return;
	if (tcsetpgrp(STDIN_FILENO, group))
		return;
	shared.is_lent = true;
	if (shared.has_modes)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &shared.its);
}

void terminal_take_back(void)
{
	if (!shared.is_lent)
		return;
	shared.is_lent = false;
	// SIGTTOU, which a group in the background would be sent, is blocked.
	tcsetpgrp(STDIN_FILENO, getpgrp());
	shared.has_modes = !tcgetattr(STDIN_FILENO, &shared.its);
	tcsetattr(STDIN_FILENO, TCSADRAIN, &shared.ours);
}

void terminal_forget(void)
{
	shared.has_modes = false;
}
