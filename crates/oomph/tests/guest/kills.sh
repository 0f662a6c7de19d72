# Runs as root in a cgroup v2 node without swap: kills at every level, each in a container of its own.
# Prints files, each after a line "##file NAME".
dmesg -n 1
cd /sys/fs/cgroup || exit 1

# pod QOS NUMBER: makes a pod and its container as the kubelet and containerd name them under systemd.
pod() {
  slice=kubepods.slice/kubepods-$1.slice
  pod=$slice/kubepods-$1-pod00000000_0000_0000_0000_00000000000$2.slice
  container=$pod/cri-containerd-$(printf "$2%.0s" $(seq 64)).scope
  mkdir -p "$container"
  for above in . kubepods.slice "$slice" "$pod"; do echo +memory >"$above/cgroup.subtree_control"; done
}
# inside SCORE COMMAND: runs COMMAND in the container, waits for its end.
inside() {
  (echo 0 >"$container/cgroup.procs"; echo "$1" >/proc/self/oom_score_adj; exec sh -c "$2")
}

# What every cgroup has counted so far.
counters() {
  find kubepods.slice -name memory.events | sort | while read -r file; do
    echo "==> /sys/fs/cgroup/$file <=="; cat "$file"
    echo "==> /sys/fs/cgroup/$file.local <=="; cat "$file.local"
  done
}

pod burstable 1; echo 16M >"$container/memory.max"; inside 900 "exec tail /dev/zero"
pod burstable 2; echo 16M >"$container/memory.max"; echo 1 >"$container/memory.oom.group"; inside 900 "tail /dev/zero; sleep 60"
pod burstable 3; echo 16M >"$pod/memory.max"; inside 900 "exec tail /dev/zero"
pod burstable 4; echo 16M >"$container/memory.max"; inside 900 "tail /dev/zero; exit 0"
pod besteffort 6; inside 1000 "exec tail /dev/zero"
counters >/tmp/early
pod besteffort 5; echo 24M >kubepods.slice/memory.max; inside 1000 "exec tail /dev/zero"

echo "##file dmesg.txt"
dmesg
echo "##file counters-early.txt"
cat /tmp/early
echo "##file counters.txt"
counters
echo "##file end"
