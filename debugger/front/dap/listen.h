// SPDX-License-Identifier: MIT
// debugcall dap: where the client is, on standard input and output or at a socket.
#ifndef DEBUGGER_FRONT_DAP_LISTEN_H
#define DEBUGGER_FRONT_DAP_LISTEN_H

int dap_main(int argc, char *argv[]); // argv[0] is "dap"; gives the exit status

#endif
