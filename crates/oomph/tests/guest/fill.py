# Fills as many MiB as it is told, half of them with small objects, says its pid, and rests.
import os
import sys
import time

blocks = []
for mib in range(int(sys.argv[1])):
    blocks.append(bytearray(b"x") * (1 << 20) if mib % 2 else [str(number) + "x" * 40 for number in range(10000)])
    time.sleep(0.02)
print("ready", os.getpid(), flush=True)
time.sleep(600)
