# Memory of one shape: leak, spike or steady.
import sys
import time

keep = [bytearray(b"x") * (40 << 20)] if sys.argv[1] != "leak" else []
if sys.argv[1] == "leak":
    while True:
        keep.append(bytearray(b"x") * (1 << 20))
        time.sleep(0.4)
for tenth in range(65):
    if sys.argv[1] == "spike" and tenth == 30:
        peak = bytearray(b"x") * (60 << 20)
    if sys.argv[1] == "spike" and tenth == 45:
        del peak
    time.sleep(0.1)
