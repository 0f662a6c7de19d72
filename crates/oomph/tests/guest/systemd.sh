# Runs in a cgroup v2 node: systemd, in a pid namespace of its own, and a user of it who has no cgroup to put a limit on.
# Its root and the program lie in /w/tree. Prints files, each after "##file NAME".
dmesg -n 1
root=/tmp/root
mkdir $root
mount -t tmpfs none $root
tar -C $root -xf /w/tree/systemd.tar
rm /w/tree/systemd.tar
cp /w/tree/oomph $root/oomph
for name in $(busybox --list); do [ -e $root/usr/bin/$name ] || ln -s /busybox $root/usr/bin/$name; done
cp /bin/busybox $root/busybox
mkdir -p $root/lib64 $root/run $root/etc/systemd/system
[ ! -d /w/tree/lib ] || cp -r /w/tree/lib $root/w
printf 'root:x:0:0::/:/bin/sh\nmessagebus:x:101:101::/:/bin/sh\nuser:x:1000:1000::/tmp:/bin/sh\n' >$root/etc/passwd
printf 'root:x:0:\nmessagebus:x:101:\nuser:x:1000:\n' >$root/etc/group
echo 0123456789abcdef0123456789abcdef >$root/etc/machine-id

# What a login does beside starting the user's systemd: PAM and logind are not here.
units=$root/etc/systemd/system
mkdir $units/user-runtime-dir@.service.d $units/user@.service.d
cat >$units/user-runtime-dir@.service.d/login.conf <<'END'
[Service]
ExecStart=
ExecStart=/bin/sh -c "mkdir -p -m 700 /run/user/%i && chown %i /run/user/%i"
ExecStop=
END
cat >$units/user@.service.d/login.conf <<'END'
[Service]
PAMName=
Environment=XDG_RUNTIME_DIR=/run/user/%i
END
cat >$units/told.service <<'END'
[Unit]
DefaultDependencies=no
Requires=dbus.socket user@1000.service
After=dbus.socket user@1000.service
[Service]
Type=oneshot
User=user
Environment=XDG_RUNTIME_DIR=/run/user/1000 LD_LIBRARY_PATH=/w
ExecStart=/bin/sh /told
StandardOutput=file:/answers
StandardError=file:/errors
END
cat >$root/told <<'END'
echo "##file own-cgroup"; cat /proc/self/cgroup
/oomph run -o json --memory 64Mi --report /tmp/killed --record /tmp/record -- tail /dev/zero; code=$?
echo "##file killed-code"; echo $code
echo "##file killed"; cat /tmp/killed
echo "##file record"; cat /tmp/record
/oomph run --memory 64Mi -- sh -c 'exit 7'; code=$?
echo "##file ended-code"; echo $code
XDG_RUNTIME_DIR=/nowhere /oomph run --memory 64Mi -- true 2>/tmp/refused; code=$?
echo "##file refused-code"; echo $code
echo "##file refused"; cat /tmp/refused
echo "##file left"; find /sys/fs/cgroup -name 'oomph-run-*'
echo "##file finished"
END
mount --rbind /dev $root/dev
mount --rbind /sys $root/sys
unshare -m -p -f chroot $root sh -c '
  mount -t proc none /proc
  exec env container=guest /lib/systemd/systemd --unit=told.service --log-target=console --show-status=0
' >/dev/null 2>&1 </dev/null &
tries=0
until grep -qs '##file finished' $root/answers || [ $tries -gt 500 ]; do sleep 1; tries=$((tries + 1)); done
cat $root/answers
echo "##file errors"; cat $root/errors
echo "##file end"
