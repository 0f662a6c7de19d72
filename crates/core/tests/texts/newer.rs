//! `kubectl describe` as newer kubectl print it: events with the path of their container before the message, commands in
//! a block of their own, conditions without a reason.

use super::{KILLED, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "a command that prints an error which it then survives",
        text: "Name:             report
Namespace:        shop
Node:             node-a/10.99.0.1
Status:           Failed
Containers:
  app:
    Image:         registry.example/report:1
    Command:
      sh
      -c
      echo 'caught java.lang.OutOfMemoryError: Java heap space; request refused'; serve || exit 1
    State:          Terminated
      Reason:       Error
      Exit Code:    1
      Started:      Fri, 27 Nov 2026 22:13:50 +0000
      Finished:     Fri, 27 Nov 2026 22:13:50 +0000
    Ready:          False
    Restart Count:  0
QoS Class:          Burstable
",
        accept: &[("app-error", SPARED)],
    },
    Paste {
        name: "a failed probe ended a life in which a child had been killed",
        text: "Name:             queue
Namespace:        shop
Node:             node-a/10.99.0.1
Start Time:       Fri, 27 Nov 2026 22:08:54 +0000
Status:           Running
Containers:
  app:
    State:          Running
      Started:      Fri, 27 Nov 2026 22:09:07 +0000
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Fri, 27 Nov 2026 22:08:55 +0000
      Finished:     Fri, 27 Nov 2026 22:09:06 +0000
    Ready:          True
    Restart Count:  1
    Limits:
      memory:  24Mi
    Liveness:     exec [sh -c test -e /up] delay=8s timeout=1s period=1s successThreshold=1 failureThreshold=2
QoS Class:                   Burstable
Events:
  Type     Reason     Age                From               Message
  ----     ------     ----               ----               -------
  Normal   Scheduled  59s                default-scheduler  Successfully assigned shop/queue to node-a
  Warning  Unhealthy  50s (x2 over 51s)  kubelet            spec.containers{app}: Liveness probe failed:
  Normal   Killing    50s                kubelet            spec.containers{app}: Container app failed liveness probe, will be restarted
  Normal   Started    47s (x2 over 59s)  kubelet            spec.containers{app}: Container started
",
        accept: &[("liveness-kill", KILLED)],
    },
    Paste {
        name: "a disruption whose reason is not shown",
        text: "Name:                      web
Namespace:                 shop
Node:                      node-z/
Start Time:                Fri, 27 Nov 2026 22:17:00 +0000
Status:                    Terminating (lasts 13s)
Termination Grace Period:  30s
Containers:
  app:
    State:          Running
      Started:      Fri, 27 Nov 2026 22:17:00 +0000
    Ready:          True
    Restart Count:  0
Conditions:
  Type               Status
  Ready              True 
  DisruptionTarget   True 
QoS Class:                   Burstable
Events:                      <none>
",
        accept: &[("undetermined", SPARED), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "a disruption that an event names",
        text: "Name:                      web
Namespace:                 shop
Status:                    Terminating (lasts 13s)
Termination Grace Period:  30s
Containers:
  app:
    State:          Running
    Ready:          True
    Restart Count:  0
Conditions:
  Type               Status
  DisruptionTarget   True 
Events:
  Type    Reason                Age   From                      Message
  ----    ------                ----  ----                      -------
  Normal  TaintManagerEviction  13s   taint-eviction-controller  Marking for deletion Pod shop/web
  Normal  Killing               12s   kubelet                    spec.containers{app}: Stopping container app
",
        accept: &[("taint-eviction", SPARED)],
    },
];
