"""Objects of all sizes, half of them freed again, and then what pymalloc itself counts, on standard error.

Nothing is allocated between the count and the line that says so.
"""

import gc
import os
import signal
import sys

count = int(sys.argv[1]) if len(sys.argv) > 1 else 60000
small = [(i, float(i)) for i in range(count * 3)]
medium = [b"x" * (200 + i % 250) for i in range(count)]
large = [bytes(2000) for _ in range(count // 3)]
huge = bytearray(b"y") * (20 << 20)
for i in range(0, len(medium)):
    if i % 10:
        medium[i] = None
for i in range(0, len(large), 2):
    large[i] = None
gc.collect()
gc.disable()
line = ("version=%d.%d.%d\n" % sys.version_info[:3]).encode()
write, pause, count_objects = os.write, signal.pause, sys._debugmallocstats
count_objects()
write(1, line)
pause()
