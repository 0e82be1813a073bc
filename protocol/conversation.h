// SPDX-License-Identifier: MIT
// One debug call as two state machines, the host's and the client's. Pure: an event in, an action
// out; no system call, no allocation, async-signal-safe. The host in the target, the ptrace client
// and the in-process client all step these and do what they say.
#ifndef PROTOCOL_CONVERSATION_H
#define PROTOCOL_CONVERSATION_H

#include "protocol/debugcall.h"

#include <stdbool.h>

// ---- the host -----------------------------------------------------------------------------------

#define HOST_STATES(X)                                                \
	X(NOWHERE) /* no conversation */                              \
	X(CHECKING)                                                   \
	X(READY) /* said ready; the callee may be running */          \
	X(ANSWERING) /* said what became of the callee, or why not */ \
	X(RESTORING) /* said restored */                              \
	X(HOME)

#define HOST_EVENTS(X)                                                                       \
	X(ENTERED) /* a debugger pointed the thread at the entry */                          \
	X(REFUSES)                                                                           \
	X(ACCEPTS)                                                                           \
	X(HEARD) /* the handshake was swallowed, and the thread goes on behind it */         \
	X(UNHEARD) /* the handshake came back as an ordinary signal: no debugger is there */ \
	X(RETURNS) /* the callee */                                                          \
	X(PANICS) /* or exits its goroutine */                                               \
	X(ABANDONED) /* the debugger gave the callee up; its goroutine is set aside */

#define HOST_ACTIONS(X)                                           \
	X(CHECK)                                                  \
	X(SAY_READY)                                              \
	X(SAY_RETURNED)                                           \
	X(SAY_PANICKED)                                           \
	X(SAY_REFUSED)                                            \
	X(SAY_RESTORED)                                           \
	X(GO_HOME) /* restore the caller context, exactly once */ \
	X(FAIL) /* this event cannot come in this state: a defect of the runtime */

// ---- the client ---------------------------------------------------------------------------------

#define CLIENT_STATES(X)                                      \
	X(ENTERING) /* the thread was pointed at the entry */ \
	X(CALLING) /* the callee runs */                      \
	X(LEAVING) /* only the way back is left */            \
	X(DONE)

#define CLIENT_EVENTS(X)                                                       \
	X(STATUS) /* a handshake; the status comes with it */                  \
	X(SIGNAL) /* any other signal for the thread */                        \
	X(CRASH) /* a fault in the callee that nobody in the target handles */ \
	X(DEADLINE) /* the time is up, or the user wants no more */            \
	X(GONE) /* the thread or the process ended, or became another program */

#define CLIENT_ACTIONS(X)                                                                                 \
	X(CALL) /* write arguments, push RIP, go to the callee, resume */                                 \
	X(DECLINE) /* resume behind the handshake: nothing is called */                                   \
	X(TAKE_RESULT) /* read it, resume */                                                              \
	X(TAKE_PANIC) /* read it, resume */                                                               \
	X(TAKE_REASON) /* read it, resume */                                                              \
	X(FORWARD) /* deliver the signal, resume */                                                       \
	X(ABANDON) /* where the callee is parked, point the thread at the host's abandon entry; resume */ \
	X(WAIT) /* nothing to do but to wait on */                                                        \
	X(FINISH) /* resume; the conversation is over */                                                  \
	X(LET_GO) /* the host does not keep to the protocol: put the saved context back, be off */        \
	X(NOTHING) /* there is no thread any more */

#define CLIENT_OUTCOMES(X)                                              \
	X(NONE) /* not yet */                                           \
	X(RETURNED)                                                     \
	X(PANICKED)                                                     \
	X(REFUSED)                                                      \
	X(ABANDONED) /* the callee was given up; the caller goes on */  \
	X(DECLINED) /* the time was up before the callee was entered */ \
	X(GONE)                                                         \
	X(LIED) /* an unknown status, or one out of turn */

#define X(name) HOST_##name,
enum host_state { HOST_STATES(X) };
#undef X
#define X(name) HOST_ON_##name,
enum host_event { HOST_EVENTS(X) HOST_EVENTS_END };
#undef X
#define X(name) HOST_DO_##name,
enum host_action { HOST_ACTIONS(X) };
#undef X
#define X(name) CLIENT_##name,
enum client_state { CLIENT_STATES(X) };
#undef X
#define X(name) CLIENT_ON_##name,
enum client_event { CLIENT_EVENTS(X) CLIENT_EVENTS_END };
#undef X
#define X(name) CLIENT_DO_##name,
enum client_action { CLIENT_ACTIONS(X) };
#undef X
#define X(name) CLIENT_GOT_##name,
enum client_outcome { CLIENT_OUTCOMES(X) };
#undef X

// All-zero is a host without a conversation.
struct host_conversation {
	enum host_state state;
};
enum host_action host_step(struct host_conversation *host, enum host_event event);

// All-zero is a client whose thread was just pointed at the entry.
struct client_conversation {
	enum client_state state;
	enum client_outcome outcome; // final in DONE
	bool abandoning; // the abandon entry was asked for
};
// status matters for CLIENT_ON_STATUS only.
enum client_action client_step(struct client_conversation *client, enum client_event event,
			       unsigned long status);
// Behind a RETURNED the client may go to a callee once more, as at READY, with the same frame:
// true, and the callee runs again. False where it is not its turn.
bool client_again(struct client_conversation *client);
// Behind an answer only RESTORED is left to be said. The client need not wait for it: true, and it
// detaches, passing the signal on, by which the host knows that nobody hears it any more.
bool client_leave(struct client_conversation *client);
// Would the status be in turn? A SIGINT of another process that comes behind a tgkill of the
// host's, with a status that is, stands for the handshake too: the kernel keeps one of a kind for a
// thread.
bool client_expects(const struct client_conversation *client, unsigned long status);

const char *host_state_name(enum host_state state);
const char *host_event_name(enum host_event event);
const char *client_state_name(enum client_state state);
const char *client_outcome_name(enum client_outcome outcome);

#endif
