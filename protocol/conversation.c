// SPDX-License-Identifier: MIT
// The transitions of both machines; what is not listed cannot happen, and says so.
#include "protocol/conversation.h"

#include <stddef.h>

const char *debugcall_status_text(unsigned long status)
{
	switch (status) {
#define X(name, value, text) \
	case value: return text;
		DEBUGCALL_STATUSES(X)
#undef X
	default: return NULL;
	}
}

const char *debugcall_refusal_text(enum debugcall_refusal refusal)
{
	switch (refusal) {
#define X(name, text) \
	case DEBUGCALL_##name: return text;
		DEBUGCALL_REFUSALS(X)
#undef X
	default: return NULL;
	}
}

static enum host_action host_go(struct host_conversation *host, enum host_state state,
				enum host_action action)
{
	host->state = state;
	return action;
}

// Behind a handshake: with a debugger the last word follows, without one nothing is said any more.
static enum host_action host_after_answer(struct host_conversation *host, enum host_event event)
{
	switch (event) {
	case HOST_ON_HEARD: return host_go(host, HOST_RESTORING, HOST_DO_SAY_RESTORED);
	case HOST_ON_UNHEARD: return host_go(host, HOST_HOME, HOST_DO_GO_HOME);
	default: return HOST_DO_FAIL;
	}
}

enum host_action host_step(struct host_conversation *host, enum host_event event)
{
	switch (host->state) {
	case HOST_NOWHERE:
	case HOST_HOME:
		if (event == HOST_ON_ENTERED)
			return host_go(host, HOST_CHECKING, HOST_DO_CHECK);
		return HOST_DO_FAIL;
	case HOST_CHECKING:
		if (event == HOST_ON_REFUSES)
			return host_go(host, HOST_ANSWERING, HOST_DO_SAY_REFUSED);
		if (event == HOST_ON_ACCEPTS)
			return host_go(host, HOST_READY, HOST_DO_SAY_READY);
		return HOST_DO_FAIL;
	case HOST_READY:
		switch (event) {
		// The debugger sent the thread into the callee, and this is how that ended.
		case HOST_ON_RETURNS: return host_go(host, HOST_ANSWERING, HOST_DO_SAY_RETURNED);
		case HOST_ON_PANICS: return host_go(host, HOST_ANSWERING, HOST_DO_SAY_PANICKED);
		case HOST_ON_ABANDONED: return host_go(host, HOST_RESTORING, HOST_DO_SAY_RESTORED);
		// It resumed without a call, or there is none.
		default: return host_after_answer(host, event);
		}
	case HOST_ANSWERING: return host_after_answer(host, event);
	case HOST_RESTORING:
		if (event == HOST_ON_HEARD || event == HOST_ON_UNHEARD)
			return host_go(host, HOST_HOME, HOST_DO_GO_HOME);
		return HOST_DO_FAIL;
	}
	return HOST_DO_FAIL;
}

static enum client_action client_go(struct client_conversation *client, enum client_state state,
				    enum client_outcome outcome, enum client_action action)
{
	client->state = state;
	// What was found out first stays: a deadline on the way back changes no result.
	if (client->outcome == CLIENT_GOT_NONE || outcome == CLIENT_GOT_GONE ||
	    outcome == CLIENT_GOT_LIED)
		client->outcome = outcome;
	return action;
}

static enum client_action client_on_status(struct client_conversation *client, unsigned long status)
{
	switch (client->state) {
	case CLIENT_ENTERING:
		if (status == DEBUGCALL_REFUSED)
			return client_go(client, CLIENT_LEAVING, CLIENT_GOT_REFUSED,
					 CLIENT_DO_TAKE_REASON);
		if (status != DEBUGCALL_READY)
			break;
		if (client->outcome == CLIENT_GOT_DECLINED)
			return client_go(client, CLIENT_LEAVING, CLIENT_GOT_DECLINED,
					 CLIENT_DO_DECLINE);
		return client_go(client, CLIENT_CALLING, CLIENT_GOT_NONE, CLIENT_DO_CALL);
	case CLIENT_CALLING:
		if (status == DEBUGCALL_RETURNED)
			return client_go(client, CLIENT_LEAVING, CLIENT_GOT_RETURNED,
					 CLIENT_DO_TAKE_RESULT);
		if (status == DEBUGCALL_PANICKED)
			return client_go(client, CLIENT_LEAVING, CLIENT_GOT_PANICKED,
					 CLIENT_DO_TAKE_PANIC);
		if (status == DEBUGCALL_RESTORED && client->abandoning)
			return client_go(client, CLIENT_DONE, CLIENT_GOT_ABANDONED,
					 CLIENT_DO_FINISH);
		break;
	case CLIENT_LEAVING:
		if (status == DEBUGCALL_RESTORED)
			return client_go(client, CLIENT_DONE, client->outcome, CLIENT_DO_FINISH);
		break;
	case CLIENT_DONE: break;
	}
	return client_go(client, CLIENT_DONE, CLIENT_GOT_LIED, CLIENT_DO_LET_GO);
}

static enum client_action client_give_up(struct client_conversation *client)
{
	switch (client->state) {
	case CLIENT_ENTERING:
		// The host is about to answer; nothing has run, and nothing will.
		client->outcome = CLIENT_GOT_DECLINED;
		return CLIENT_DO_WAIT;
	case CLIENT_CALLING:
		if (client->abandoning)
			return CLIENT_DO_WAIT;
		client->abandoning = true;
		return CLIENT_DO_ABANDON;
	default: return CLIENT_DO_WAIT;
	}
}

enum client_action client_step(struct client_conversation *client, enum client_event event,
			       unsigned long status)
{
	switch (event) {
	case CLIENT_ON_STATUS: return client_on_status(client, status);
	case CLIENT_ON_SIGNAL: return CLIENT_DO_FORWARD;
	case CLIENT_ON_CRASH:
	case CLIENT_ON_DEADLINE: return client_give_up(client);
	case CLIENT_ON_GONE:
		return client_go(client, CLIENT_DONE, CLIENT_GOT_GONE, CLIENT_DO_NOTHING);
	case CLIENT_EVENTS_END: break;
	}
	return CLIENT_DO_WAIT;
}

bool client_again(struct client_conversation *client)
{
	if (client->state != CLIENT_LEAVING || client->outcome != CLIENT_GOT_RETURNED)
		return false;
	*client = (struct client_conversation){ .state = CLIENT_CALLING };
	return true;
}

bool client_leave(struct client_conversation *client)
{
	if (client->state != CLIENT_LEAVING)
		return false;
	client->state = CLIENT_DONE;
	return true;
}

bool client_expects(const struct client_conversation *client, unsigned long status)
{
	struct client_conversation copy = *client;

	return copy.state != CLIENT_DONE && client_on_status(&copy, status) != CLIENT_DO_LET_GO;
}

#define X(name) #name,
const char *host_state_name(enum host_state state)
{
	static const char *const names[] = { HOST_STATES(X) };

	return names[state];
}

const char *host_event_name(enum host_event event)
{
	static const char *const names[] = { HOST_EVENTS(X) };

	return names[event];
}

const char *client_state_name(enum client_state state)
{
	static const char *const names[] = { CLIENT_STATES(X) };

	return names[state];
}

const char *client_outcome_name(enum client_outcome outcome)
{
	static const char *const names[] = { CLIENT_OUTCOMES(X) };

	return names[outcome];
}
#undef X
