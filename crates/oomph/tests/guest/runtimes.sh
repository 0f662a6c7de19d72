# Runs in a cgroup v2 node: each runtime killed under a limit by `oomph run`, and looked at while it rests; as root, and
# as a user in a cgroup that was delegated to it. Its programs lie in /w/tree. Prints files, each after "##file NAME".
dmesg -n 1
mkdir -p /lib64
ln -s /w/tree/lib/ld-* /lib64/
printf 'root:x:0:0::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >/etc/passwd
export LD_LIBRARY_PATH=/w/tree/lib PYTHONHOME=/w/tree/python PATH="$PATH:/w/tree"

# Delegated as the kernel's documentation says (cgroup-v2.rst, "Delegation"): the folder, and these files in it.
cgroup=/sys/fs/cgroup/delegated
mkdir -p $cgroup/shell
echo +memory >$cgroup/cgroup.subtree_control
chown 1000 $cgroup $cgroup/cgroup.procs $cgroup/cgroup.subtree_control $cgroup/shell $cgroup/shell/cgroup.procs

cat >/tmp/all <<'END'
who=$1
for runtime in go cpython v8 hotspot; do
  case $runtime in
    go) command=/w/tree/fill ;;
    cpython) command="/w/tree/python/bin/python3 -S -s /w/tree/fill.py" ;;
    v8) command="/w/tree/node /w/tree/fill.js" ;;
    hotspot) command="/w/tree/java/bin/java -Xmx1g -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp /w/tree Fill" ;;
  esac
  [ -e "${command%% *}" ] || continue
  at=/tmp/$who-$runtime
  oomph run -o json --memory 128Mi --record "$at-record" --report "$at-run" -- $command 1000 >"$at-words" 2>&1
  code=$?
  echo "##file $who-$runtime-code"; echo $code
  echo "##file $who-$runtime-run"; cat "$at-run" || cat "$at-words"
  echo "##file $who-$runtime-why"; oomph why -o json -f "$at-record"

  oomph run -o json --memory 256Mi --report "$at-rest" -- $command 24 >"$at-ready" 2>&1 &
  tries=0
  until grep -q ready "$at-ready" || [ $tries -gt 300 ]; do sleep 0.2; tries=$((tries + 1)); done
  pid=$(sed -n 's/^ready //p' "$at-ready")
  # A moment to fall asleep in.
  sleep 1
  echo "##file $who-$runtime-inspect"; oomph inspect -o json --pid "$pid" 2>&1
  kill "$pid"
  wait
  echo "##file $who-$runtime-rest"; cat "$at-rest"
done
echo "##file $who-left"; find /sys/fs/cgroup -name 'oomph-run-*'
END
sh /tmp/all root
(echo 0 >$cgroup/shell/cgroup.procs; exec su -s /bin/sh user -c "sh /tmp/all user")

# Alone in its cgroup, it steps aside to hand the controller down, and back again.
alone=/sys/fs/cgroup/alone
mkdir $alone
chown 1000 $alone $alone/cgroup.procs $alone/cgroup.subtree_control
(echo 0 >$alone/cgroup.procs; exec su -s /bin/sh user -c "exec oomph run -o json --memory 64Mi --report /tmp/alone -- tail /dev/zero") >/dev/null 2>&1
echo "##file alone-run"; cat /tmp/alone
echo "##file alone-left"; cat $alone/cgroup.subtree_control; find $alone -mindepth 1 -type d
echo "##file end"
