// SPDX-License-Identifier: MIT
// The handlers of the commands that only the shell has.
#ifndef DEBUGGER_FRONT_SHELL_HANDLERS_H
#define DEBUGGER_FRONT_SHELL_HANDLERS_H

#include "debugger/front/commands.h"

handler command_lua, command_alias, command_apropos, command_attach, command_backtrace,
	command_complete, command_define, command_detach, command_disassemble, command_display,
	command_document, command_down, command_echo, command_examine, command_find_memory,
	command_frame, command_goroutine, command_help, command_history, command_if,
	command_info_args, command_info_all_registers, command_info_display, command_info_files,
	command_info_line, command_info_locals, command_info_mappings, command_info_proc,
	command_info_registers, command_info_scope, command_info_sharedlibrary,
	command_info_signals, command_info_source, command_info_symbol, command_info_threads,
	command_info_types, command_info_variables, command_list, command_loop_break,
	command_loop_continue, command_output, command_printf, command_ptype, command_quit,
	command_repeat, command_set, command_shell, command_show, command_source, command_thread,
	command_undisplay, command_up, command_whatis, command_while, command_break, command_tbreak,
	command_delete, command_enable, command_disable, command_ignore, command_condition,
	command_commands, command_info_breakpoints, command_continue, command_interrupt,
	command_step, command_next, command_stepi, command_nexti, command_finish, command_until,
	command_advance, command_signal, command_watch, command_rwatch, command_awatch,
	command_file, command_run_program, command_start, command_starti, command_kill,
	command_args, command_cwd, command_tty, command_env, command_unset_environment,
	command_handle, command_jump, command_return, command_skip, command_info_skip,
	command_thread_apply, command_thread_find, command_frame_apply, command_rbreak,
	command_save_breakpoints, command_pipe, command_logging, command_directory, command_gcore,
	command_catch, command_tcatch, command_info_calls, command_abandon;

#endif
