// A program with known memory that says what its own runtime counts, and then keeps still.
//   quiet.js [workers=N] [buffers=MIB] [objects=N]
// Prints a line per isolate, the main thread's last:
//   isolate NAME heapTotal N heapUsed N arrayBuffers N limit N SPACE SIZE USED...
'use strict';
const v8 = require('v8');
const fs = require('fs');
const threads = require('worker_threads');

const options = Object.assign({ workers: 0, buffers: 16, objects: 100000 }, threads.workerData && threads.workerData.options);
for (const [, name, value] of process.argv.slice(2).map((word) => /^(\w+)=(\d+)$/.exec(word) || [])) {
  if (name) options[name] = Number(value);
}

const kept = { objects: [], large: [], buffers: [] };
for (let i = 0; i < options.objects; i++) kept.objects.push({ a: i, b: `s${i}`, c: [i] });
for (let i = 0; i < 10; i++) kept.large.push(new Array(200000).fill(1.5 * i));
for (let i = 0; i < options.buffers; i++) kept.buffers.push(Buffer.alloc(1 << 20, 1), Buffer.allocUnsafeSlow(3000).fill(2));
globalThis.kept = kept;

function told(name) {
  const spaces = v8.getHeapSpaceStatistics();
  const { heap_size_limit: limit } = v8.getHeapStatistics();
  const { heapTotal, heapUsed, arrayBuffers } = process.memoryUsage();
  let line = `isolate ${name} heapTotal ${heapTotal} heapUsed ${heapUsed} arrayBuffers ${arrayBuffers} limit ${limit}`;
  for (const { space_name, space_size, space_used_size } of spaces) line += ` ${space_name} ${space_size} ${space_used_size}`;
  return `${line}\n`;
}

// Until all is compiled and the counting itself allocates little.
const nowhere = fs.openSync('/dev/null', 'w');
function settle(times, then) {
  fs.writeSync(nowhere, told('settling'));
  setTimeout(() => (times > 0 ? settle(times - 1, then) : then()), 100);
}

if (threads.isMainThread) {
  const done = new Int32Array(new SharedArrayBuffer(4));
  for (let i = 1; i <= options.workers; i++) {
    new threads.Worker(__filename, { workerData: { name: `worker${i}`, options: { ...options, workers: 0 }, done } });
  }
  const wait = () => (Atomics.load(done, 0) < options.workers ? setTimeout(wait, 50) : settle(5, () => fs.writeSync(1, told('main'))));
  wait();
  setInterval(() => {}, 1 << 30);
} else {
  settle(5, () => {
    fs.writeSync(1, told(threads.workerData.name));
    Atomics.add(threads.workerData.done, 0, 1);
    setInterval(() => {}, 1 << 30);
  });
}
