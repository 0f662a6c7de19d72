// A program that allocates without end, by the main thread and two workers, and lets a third one go before.
'use strict';
const threads = require('worker_threads');

function work(kept) {
  const until = Date.now() + 20;
  while (Date.now() < until) for (let i = 0; i < 1000; i++) kept[i % kept.length] = { i, text: `s${i}`, list: [i, i + 1] };
}

const role = threads.workerData;
if (role === 'short') {
  work(new Array(200000));
} else {
  const kept = new Array(50000);
  setInterval(work, 1, kept);
  if (threads.isMainThread) {
    new threads.Worker(__filename, { workerData: 'short' }).once('exit', () => {
      for (let i = 0; i < 2; i++) new threads.Worker(__filename, { workerData: 'long' });
      setTimeout(() => console.log('busy'), 1500);
    });
  }
}
