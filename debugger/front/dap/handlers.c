// SPDX-License-Identifier: MIT
// The requests, one row each: who answers, and what the row lets us announce.
#include "debugger/front/dap/dap.h"

const struct handler handlers[] = {
	{ .command = "initialize", .now = dap_initialize },
	{
		.command = "attach",
		.wants = WANTS_INITIALIZED,
		.now = dap_attach,
	},
	{
		.command = "launch",
		.wants = WANTS_INITIALIZED,
		.now = dap_launch,
	},
	{
		.command = "terminate",
		.capabilities = "supportsTerminateRequest",
		.wants = WANTS_TARGET,
		.undoes = true,
		.now = dap_terminate,
	},
	{
		.command = "configurationDone",
		.capabilities = "supportsConfigurationDoneRequest",
		.wants = WANTS_TARGET,
		.now = dap_configuration_done,
	},
	{
		.command = "disconnect",
		.capabilities = "supportTerminateDebuggee supportSuspendDebuggee",
		.wants = WANTS_NOTHING,
		.undoes = true,
		.now = dap_disconnect,
	},
	{
		.command = "cancel",
		.capabilities = "supportsCancelRequest",
		.wants = WANTS_INITIALIZED,
		.now = dap_cancel,
	},
	{
		.command = "threads",
		.wants = WANTS_TARGET,
		.now = dap_threads,
		.job = dap_threads_and_goroutines,
	},
	{
		.command = "stackTrace",
		.capabilities = "supportsDelayedStackTraceLoading",
		.wants = WANTS_TARGET,
		.job = dap_stack_trace,
	},
	{
		.command = "evaluate",
		.calls = true,
		.capabilities = "supportsEvaluateForHovers supportsClipboardContext "
				"supportsValueFormattingOptions",
		.wants = WANTS_TARGET,
		.job = dap_evaluate,
	},
	{
		.command = "variables",
		.calls = true,
		.wants = WANTS_TARGET,
		.job = dap_variables,
	},
	{
		.command = "setVariable",
		.calls = true,
		.capabilities = "supportsSetVariable",
		.wants = WANTS_TARGET,
		.job = dap_set_variable,
	},
	{
		.command = "setExpression",
		.calls = true,
		.capabilities = "supportsSetExpression",
		.wants = WANTS_TARGET,
		.job = dap_set_expression,
	},
	{
		.command = "setBreakpoints",
		.capabilities = "supportsConditionalBreakpoints supportsHitConditionalBreakpoints "
				"supportsLogPoints",
		.wants = WANTS_TARGET,
		.job = dap_set_breakpoints,
	},
	{
		.command = "setFunctionBreakpoints",
		.capabilities = "supportsFunctionBreakpoints",
		.wants = WANTS_TARGET,
		.job = dap_set_function_breakpoints,
	},
	{
		.command = "setInstructionBreakpoints",
		.capabilities = "supportsInstructionBreakpoints",
		.wants = WANTS_TARGET,
		.job = dap_set_instruction_breakpoints,
	},
	{
		.command = "setExceptionBreakpoints",
		.capabilities = "supportsExceptionFilterOptions",
		.wants = WANTS_TARGET,
		.job = dap_set_exception_breakpoints,
	},
	{
		.command = "next",
		.capabilities = "supportsSteppingGranularity",
		.wants = WANTS_TARGET,
		.undoes = true,
		.job = dap_next,
	},
	{
		.command = "stepIn",
		.wants = WANTS_TARGET,
		.undoes = true,
		.job = dap_step_in,
	},
	{
		.command = "stepOut",
		.wants = WANTS_TARGET,
		.undoes = true,
		.job = dap_step_out,
	},
	{
		.command = "scopes",
		.wants = WANTS_TARGET,
		.job = dap_scopes,
	},
	{
		.command = "readMemory",
		.capabilities = "supportsReadMemoryRequest",
		.wants = WANTS_TARGET,
		.job = dap_read_memory,
	},
	{
		.command = "writeMemory",
		.capabilities = "supportsWriteMemoryRequest",
		.wants = WANTS_TARGET,
		.job = dap_write_memory,
	},
	{
		.command = "disassemble",
		.capabilities = "supportsDisassembleRequest",
		.wants = WANTS_TARGET,
		.job = dap_disassemble,
	},
	{
		.command = "modules",
		.capabilities = "supportsModulesRequest",
		.wants = WANTS_TARGET,
		.job = dap_modules,
	},
	{
		.command = "source",
		.wants = WANTS_TARGET,
		.now = dap_source_text,
	},
	{
		.command = "breakpointLocations",
		.capabilities = "supportsBreakpointLocationsRequest",
		.wants = WANTS_TARGET,
		.job = dap_breakpoint_locations,
	},
	{
		.command = "completions",
		.capabilities = "supportsCompletionsRequest",
		.wants = WANTS_TARGET,
		.job = dap_completions,
	},
	{
		.command = "exceptionInfo",
		.capabilities = "supportsExceptionInfoRequest",
		.wants = WANTS_TARGET,
		.job = dap_exception_info,
	},
	{
		.command = "pause",
		.wants = WANTS_TARGET,
		.undoes = true,
		.now = dap_ask_pause,
		.job = dap_pause,
	},
	{
		.command = "continue",
		.capabilities = "supportsSingleThreadExecutionRequests",
		.wants = WANTS_TARGET,
		.undoes = true,
		.job = dap_continue,
	},
};
const size_t nr_handlers = sizeof(handlers) / sizeof(*handlers);
