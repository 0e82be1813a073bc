// SPDX-License-Identifier: MIT
// The table of hosts.
#include "debugger/inject/host.h"

#include "debugger/inject/agent/agent.h"
#include "debugger/inject/bare/bare.h"
#include "debugger/inject/go/go.h"
#include "debugger/inject/gort/gort.h"

const struct host *const hosts[] = { &gort_host, &go_host, &agent_host, &bare_host };
const size_t nr_hosts = sizeof(hosts) / sizeof(*hosts);

const struct host *host_by_id(enum dc_host id)
{
	for (size_t i = 0; i < nr_hosts; i++)
		if (hosts[i]->id == id)
			return hosts[i];
	return NULL;
}

const struct host *host_that_keeps(void)
{
	size_t i = 0;

	while (!hosts[i]->keeps_thread)
		i++;
	return hosts[i];
}

const char *dc_host_name(enum dc_host id)
{
	const struct host *host = host_by_id(id);

	return host ? host->name : NULL;
}
