// Fills as many MiB as it is told, half of them on V8's heap, says its pid, and rests.
const blocks = [];
const fill = () => {
  if (blocks.length < Number(process.argv[2])) {
    blocks.push(blocks.length % 2 ? Buffer.alloc(1 << 20, 1) : new Array(1 << 17).fill(1.5));
    setTimeout(fill, 20);
    return;
  }
  console.log(`ready ${process.pid}`);
  setTimeout(() => process.exit(blocks.length), 600_000);
};
fill();
