// Memory of one shape: leak, spike or steady.
const shape = process.argv[2];
const keep = [];
if (shape === 'leak') {
  setInterval(() => keep.push(Buffer.alloc(1 << 20, 1)), 400);
} else {
  keep.push(Buffer.alloc(40 << 20, 1));
  let peak;
  if (shape === 'spike') {
    setTimeout(() => { peak = Buffer.alloc(60 << 20, 1); }, 3000);
    setTimeout(() => { peak = undefined; }, 4500);
  }
  setTimeout(() => process.exit(keep.length === 1 && !peak ? 0 : 1), 6500);
}
