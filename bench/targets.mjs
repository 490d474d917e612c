const isolated = 'Backworks, isolated';
const inProcess = 'Backworks, in-process';
const bare = 'Hono, bare';
const at64 = { scenario: 'http', key: 'requests64' };
const changes = { scenario: 'changes', peer: 'three hooks, each changes something' };
const PATCHES =
  'documents, calls, checks and patches are work that bare Hono does not do: [patches in the runner](decisions/0020-patches-in-the-runner.md), [heads of responses](decisions/0019-response-heads.md).';
const TWO_OF_THEM =
  'hooks that take microseconds gain nothing from a second process or thread. It halves the batches and competes with the server and the load generator for two cores.';
const WHOLE_DOCUMENT =
  'the SDK finds every member of the document, reads those that the plugin asks for, and writes the answer, which takes most of a microsecond. The plugin without an SDK looks for one text in the document. With 64 calls in flight the runner is always busy, and its time counts in full.';
const perCall = { scenario: 'call', key: 'perCall64', peer: isolated };

/**
 * The targets of Backworks on two cores. A target is a figure of a peer in a scenario, alone or compared with
 * another peer (`by`, `to`), or the slope of a scenario. `atMost` or `atLeast` is the bound. While the target
 * is missed, `why` is printed below the table; its links are relative to docs/. `beside` names a peer that
 * explains the figure, and the figure is then compared with it as well.
 */
export const TARGETS = [
  {
    what: 'HTTP requests/s, three hooks that each change something ÷ bare Hono, which changes nothing',
    ...changes,
    key: 'toBare',
    atLeast: 0.8,
    why: PATCHES,
  },
  {
    what: 'the same ÷ Hono middleware that does the same in JavaScript',
    ...changes,
    key: 'toMiddleware',
    atLeast: 1,
    why: PATCHES,
  },
  {
    what: 'server CPU per request above bare Hono, three hooks that each change something (µs)',
    ...changes,
    key: 'aboveBare',
    atMost: 8,
    why: PATCHES,
  },
  {
    what: 'HTTP requests/s, endpoint and after_response that adds a header ÷ bare Hono',
    ...changes,
    peer: 'endpoint, and after_response adds a header',
    key: 'toBare',
    atLeast: 0.85,
    why: 'see [heads and patches](decisions/0019-response-heads.md).',
  },
  {
    what: 'server CPU for a 64 KiB body of which before_request changes one member ÷ the same body unchanged',
    scenario: 'body',
    key: 'cpu',
    peer: 'Backworks, before_request changes one member, 64 KiB',
    by: 'ratio',
    to: 'Backworks, before_request changes nothing, 64 KiB',
    atMost: 1.5,
    why: 'see [heads and patches](decisions/0019-response-heads.md).',
  },
  {
    what: 'HTTP requests/s, one isolated plugin with three hooks ÷ bare Hono, 64 connections',
    ...at64,
    peer: isolated,
    by: 'ratio',
    to: bare,
    atLeast: 0.95,
    why: 'documents, calls, checks and guards are work that bare Hono does not do, on a thread that is busy all the time: [the profile](decisions/0008-hot-path.md), [hook batches](decisions/0012-hook-batches.md).',
  },
  {
    what: 'HTTP requests/s, three isolated plugins, one hook each ÷ bare Hono',
    ...at64,
    peer: 'Backworks, three isolated plugins',
    by: 'ratio',
    to: bare,
    atLeast: 0.8,
    why: 'each request needs three frames to the runners and three back, and three runners share two cores with the server and the load generator: [the profile](decisions/0008-hot-path.md).',
  },
  {
    what: 'HTTP requests/s, two instances of a plugin ÷ one',
    ...at64,
    peer: 'Backworks, isolated, 2 instances',
    by: 'ratio',
    to: isolated,
    atLeast: 0.95,
    why: TWO_OF_THEM,
  },
  {
    what: 'HTTP requests/s, a thread pool of two ÷ one thread',
    ...at64,
    peer: 'Backworks, isolated, thread pool of 2',
    by: 'ratio',
    to: isolated,
    atLeast: 0.95,
    why: TWO_OF_THEM,
  },
  {
    what: 'HTTP requests/s, isolated ÷ in-process, 64 connections',
    ...at64,
    peer: isolated,
    by: 'ratio',
    to: inProcess,
    atLeast: 1,
    why: 'a plugin that does almost nothing has no work to move to another core, and the runner takes part of the core that the load generator needs: [the profile](decisions/0008-hot-path.md).',
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
    why: "the lower bound is two C programs that block in read(). *Node, socketpair, C program* is the same exchange from Node's event loop, without any of our work: [the transport](decisions/0013-transport.md).",
  },
  {
    what: 'isolated call, 64 in flight (µs)',
    ...perCall,
    atMost: 2,
    why: '*Node, socketpair, C program* is the same exchange without any of our work. It takes more than half of the time: the event loop and the two system calls of a batch. The rest is writing and reading a frame, matching an answer and calling its listener: [the transport](decisions/0013-transport.md).',
  },
  {
    what: 'go-plugin net/rpc ÷ isolated call, 64 in flight',
    ...perCall,
    peer: 'HashiCorp go-plugin, net/rpc',
    by: 'ratio',
    to: isolated,
    atLeast: 8,
    why: 'a Go host spreads its calls over both cores, but a Node server has one thread: [the transport](decisions/0013-transport.md).',
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
  ...['C++', 'Rust', 'Zig'].flatMap((language) =>
    [
      { key: 'p50', load: 'one at a time, p50' },
      { key: 'perCall64', load: '64 in flight' },
    ].map(({ key, load }) => ({
      what: `isolated call of a plugin with the ${language} SDK ÷ without an SDK, ${load}`,
      scenario: 'sdk',
      key,
      peer: `${language} SDK`,
      by: 'ratio',
      to: 'C, the header alone',
      atMost: 1.3,
      why: WHOLE_DOCUMENT,
    })),
  ),
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
    why: 'after every call, the server checks the deadline and the length of the answer: [the hot path](decisions/0008-hot-path.md).',
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
    why: 'most slow answers follow a kill that comes before the next spare has loaded its library, or wait until the event loop sees the end of the pipe. The server waits for the end of a process before it moves its calls, so that no call runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: '100 plugins at once, all answered (ms)',
    scenario: 'start',
    key: 'all',
    peer: 'Backworks runner, bench plugin',
    atMost: 1000,
    why: 'most slow answers follow a kill that comes before the next spare has loaded its library, or wait until the event loop sees the end of the pipe. The server waits for the end of a process before it moves its calls, so that no call runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'server with 100 plugins: start of Node → listening (ms)',
    scenario: 'plugins',
    key: 'ready',
    peer: 'Backworks, 100 plugins',
    atMost: 1000,
    why: 'about half of the time is the start of Node and of a server without plugins, as the row without plugins shows. Most of the rest is the start of two processes for each plugin on two cores: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'private memory of a runner without a plugin (KiB)',
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
    why: 'most slow answers follow a kill that comes before the next spare has loaded its library, or wait until the event loop sees the end of the pipe. The server waits for the end of a process before it moves its calls, so that no call runs twice: [how runners start](decisions/0003-posix-spawn.md).',
  },
  {
    what: 'event-loop delay while a plugin computes for 1 s, above an idle server (ms)',
    scenario: 'recovery',
    key: 'delay',
    peer: isolated,
    by: 'difference',
    to: 'nothing computes',
    atMost: 2,
    why: 'the plugin computes on another core. The rest is other work of the machine, which delays both servers.',
  },
];
