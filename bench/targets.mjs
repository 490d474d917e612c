const isolated = 'Backworks, isolated';
const inProcess = 'Backworks, in-process';
const bare = 'Hono, bare';
const at64 = { scenario: 'http', key: 'requests64' };
const perCall = { scenario: 'call', key: 'perCall64', peer: isolated };

/**
 * What Backworks is to reach, on two cores. A target is a figure of a peer in a scenario, by itself or
 * beside another one (`by`, `to`), or the slope of a scenario; `atMost` or `atLeast` says what is asked.
 * `why` stands below the table while the target is missed; its links begin in docs/. `beside` names a peer
 * that explains more, to which the figure is then compared as well.
 */
export const TARGETS = [
  {
    what: 'HTTP requests/s, one isolated plugin with three hooks ÷ bare Hono, 64 connections',
    ...at64,
    peer: isolated,
    by: 'ratio',
    to: bare,
    atLeast: 0.95,
    why: 'documents, calls, checks and guards are work that bare Hono does not have, on a thread that is busy all the time: [the profile](decisions/0008-hot-path.md), [hook batches](decisions/0012-hook-batches.md).',
  },
  {
    what: 'the same with three plugins, one hook each (three hops)',
    ...at64,
    peer: 'Backworks, three isolated plugins',
    by: 'ratio',
    to: bare,
    atLeast: 0.75,
    why: 'three frames there and three back for each request, and three runners beside the server and the load generator on two cores: [the profile](decisions/0008-hot-path.md).',
  },
  {
    what: 'HTTP requests/s, isolated ÷ in-process, 64 connections',
    ...at64,
    peer: isolated,
    by: 'ratio',
    to: inProcess,
    atLeast: 1,
    why: 'a plugin that does next to nothing has no work to move to another core, and the runner takes a part of the core the load generator needs: [the profile](decisions/0008-hot-path.md).',
  },
  {
    what: 'isolated call, one at a time, p50 ÷ C socketpair ping-pong',
    scenario: 'call',
    key: 'p50',
    peer: isolated,
    by: 'ratio',
    to: 'C socketpair ping-pong',
    atMost: 1.25,
    beside: 'Node, socketpair, C program',
    why: "the floor is two C programs that block in read(). *Node, socketpair, C program* is such an exchange out of Node's event loop, without any of our work: [the transport](decisions/0013-transport.md).",
  },
  {
    what: 'isolated call, 64 in flight (µs)',
    ...perCall,
    atMost: 2,
    why: '*Node, socketpair, C program* is the same exchange without any of our work and takes more than half of it: the event loop and the two system calls of a batch. The rest is a frame written and read, an answer matched and its listener called: [the transport](decisions/0013-transport.md).',
  },
  {
    what: 'go-plugin net/rpc ÷ isolated call, 64 in flight',
    ...perCall,
    peer: 'HashiCorp go-plugin, net/rpc',
    by: 'ratio',
    to: isolated,
    atLeast: 8,
    why: 'a Go host spreads its calls over both cores, a Node server has one thread: [the transport](decisions/0013-transport.md).',
  },
  {
    what: 'Extism in a worker ÷ isolated call, 64 in flight',
    ...perCall,
    peer: 'Extism JS SDK, worker',
    by: 'ratio',
    to: isolated,
    atLeast: 50,
    why: 'see the row above it: [the transport](decisions/0013-transport.md).',
  },
  {
    what: 'guards (breaker, deadline, bulkhead, metrics) per call (µs)',
    scenario: 'resilience',
    key: 'perCall',
    peer: 'Backworks PluginExecutor',
    by: 'difference',
    to: 'the call alone',
    atMost: 1,
    why: 'see [answers without promises](decisions/0007-deferred-answers.md).',
  },
  {
    what: 'in-process call with a string answer ÷ koffi by hand',
    scenario: 'call',
    key: 'loop',
    peer: inProcess,
    by: 'ratio',
    to: 'koffi by hand, in-process',
    atMost: 1.5,
    why: 'the deadline is looked at and the length of the answer held against its limit after every call: [the hot path](decisions/0008-hot-path.md).',
  },
  {
    what: 'server CPU for each further isolated hook in a chain (µs)',
    scenario: 'chain',
    slope: 0,
    atMost: 5,
    why: 'see [the hot path](decisions/0008-hot-path.md).',
  },
  {
    what: 'spawn → first answer, p50 (ms)',
    scenario: 'start',
    key: 'p50',
    peer: 'Backworks runner, bench plugin',
    atMost: 5,
    why: 'most of the slow ones are kills that come before the next spare has loaded its library, or wait until the event loop sees the end of the pipe; the end of a process is awaited before its calls move, so that none runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: '100 plugins at once, all answered (ms)',
    scenario: 'start',
    key: 'all',
    peer: 'Backworks runner, bench plugin',
    atMost: 1000,
    why: 'most of the slow ones are kills that come before the next spare has loaded its library, or wait until the event loop sees the end of the pipe; the end of a process is awaited before its calls move, so that none runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'server with 100 plugins: start of Node → listening (ms)',
    scenario: 'plugins',
    key: 'ready',
    peer: 'Backworks, 100 plugins',
    atMost: 1000,
    why: 'about half of it is the start of Node and of a server without plugins, as the row without them shows; most of the rest is two processes for each plugin on two cores: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'private memory of a runner without a plugin of its own (KiB)',
    scenario: 'start',
    key: 'private',
    peer: 'Backworks runner, empty plugin',
    atMost: 512,
    why: 'see [the shared page](decisions/0002-shared-page.md).',
  },
  {
    what: 'SIGKILL of a runner → next call answered, p99 (ms)',
    scenario: 'recovery',
    key: 'p99',
    peer: isolated,
    atMost: 5,
    why: 'most of the slow ones are kills that come before the next spare has loaded its library, or wait until the event loop sees the end of the pipe; the end of a process is awaited before its calls move, so that none runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'event-loop delay by a plugin that computes for 1 s, above an idle server (ms)',
    scenario: 'recovery',
    key: 'delay',
    peer: isolated,
    by: 'difference',
    to: 'nothing computes',
    atMost: 2,
    why: 'the plugin computes on another core; what is left is what the machine does to both.',
  },
];
