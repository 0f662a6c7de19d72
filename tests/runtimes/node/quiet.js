// A program with known memory that says what its own runtime counts, and then keeps still.
//   quiet.js [workers=N] [buffers=MIB] [objects=N]
// Prints a line of KEY=NUMBER: of all isolates together heapTotal, heapUsed, arrayBuffers, limit; of the main thread's
// isolate the size of each space, and as SPACE.used what is used of it.
'use strict';
const v8 = require('v8');
const fs = require('fs');
const threads = require('worker_threads');

const AMOUNTS = ['heapTotal', 'heapUsed', 'arrayBuffers', 'limit'];
const options = Object.assign({ workers: 0, buffers: 16, objects: 100000 }, threads.workerData && threads.workerData.options);
for (const [, name, value] of process.argv.slice(2).map((word) => /^(\w+)=(\d+)$/.exec(word) || [])) {
  if (name) options[name] = Number(value);
}

const kept = { objects: [], large: [], buffers: [] };
for (let i = 0; i < options.objects; i++) kept.objects.push({ a: i, b: `s${i}`, c: [i] });
for (let i = 0; i < 10; i++) kept.large.push(new Array(200000).fill(1.5 * i));
for (let i = 0; i < options.buffers; i++) kept.buffers.push(Buffer.alloc(1 << 20, 1), Buffer.allocUnsafeSlow(3000).fill(2));
globalThis.kept = kept;

// Shared by all threads: how many have finished, and the sums of their amounts.
const sums = threads.isMainThread ? new BigInt64Array(new SharedArrayBuffer(8 * 5)) : threads.workerData.sums;

function told() {
  const spaces = v8.getHeapSpaceStatistics();
  const { heap_size_limit: limit } = v8.getHeapStatistics();
  const { heapTotal, heapUsed, arrayBuffers } = process.memoryUsage();
  const own = [heapTotal, heapUsed, arrayBuffers, limit];
  let line = AMOUNTS.map((name, i) => `${name}=${own[i] + Number(Atomics.load(sums, i + 1))}`).join(' ');
  for (const { space_name, space_size, space_used_size } of spaces) {
    line += ` ${space_name}=${space_size} ${space_name}.used=${space_used_size}`;
  }
  return { own, line: `${line}\n` };
}

// Adds the amounts of this isolate to those of all.
function add(to, { own }) {
  for (let i = 0; i < own.length; i++) Atomics.add(to, i + 1, BigInt(own[i]));
  Atomics.add(to, 0, 1n);
}

// Until all is compiled and the counting itself allocates little.
const nowhere = fs.openSync('/dev/null', 'w');
const unused = new BigInt64Array(sums.length);
function settle(times, then) {
  fs.writeSync(nowhere, told().line);
  add(unused, told());
  setTimeout(() => (times > 0 ? settle(times - 1, then) : then()), 50);
}

if (threads.isMainThread) {
  for (let i = 1; i <= options.workers; i++) {
    new threads.Worker(__filename, { workerData: { sums, options: { ...options, workers: 0 } } });
  }
  const wait = () => {
    if (Atomics.load(sums, 0) < options.workers) setTimeout(wait, 50);
    else settle(10, () => fs.writeSync(1, told().line));
  };
  wait();
} else {
  settle(10, () => add(sums, told()));
}
setInterval(() => {}, 0x7fffffff);
