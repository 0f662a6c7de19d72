//! The words of tools around Kubernetes and engines: proposals' lists, workflow engines, Spark, Nomad, shells.

use super::{KILLED, NOTHING, Paste, SPARED, UNKNOWN};

pub(super) const PASTES: &[Paste] = &[
    Paste {
        name: "a client's objects in a log, behind a word that would begin YAML",
        text: "phase=Failed reason=Error message=Pod failed\ncontainerStatuses: [{'name': 'base', 'state': {'terminated': \
{'exit_code': 137, 'finished_at': datetime.datetime(2024, 1, 1, 0, 0), 'message': None, 'reason': 'OOMKilled'}}}]\n",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a list with an eviction",
        text: "- Pod status:
  - status: Evicted
  - `phase=Failed`
  - `reason=Evicted`
  - `message=The node was low on resource: memory. Container main was using 81Mi, which exceeds its request of 0.`
- Container status:
  - `state=Terminated`
  - `exitCode=137`
  - `reason=Error`
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "a list with a deadline",
        text: "Active deadline exceeded
- Pod status:
  - status: DeadlineExceeded
  - `phase=Failed`
  - `reason=DeadlineExceeded`
  - `message=Pod was active on the node longer than the specified deadline`
- Container status:
  - `state=Terminated`
  - `reason=Error`
  - `exitCode=137`
",
        accept: &[("deadline", SPARED)],
    },
    Paste {
        name: "a list with a shutdown",
        text: "- Pod status:
  - status: Terminated
  - `phase=Failed`
  - `reason=Terminated`
  - `message=Pod was terminated in response to imminent node shutdown.`
- Container status:
  - `state=Terminated`
  - `exitCode=137`
  - `reason=Error`
",
        accept: &[("node-shutdown", SPARED)],
    },
    Paste {
        name: "a list with a refusal and no container",
        text: "- Pod status:
  - status: UnexpectedAdmissionError
  - `phase=Failed`
  - `reason=UnexpectedAdmissionError`
  - `message=Allocate failed due to requested number of devices unavailable`
- Container status: N/A
",
        accept: &[("admission-rejected-other", SPARED)],
    },
    Paste {
        name: "a list with a taint's silence",
        text: "Taint eviction of a running pod
- Pod status:
  - status: Terminating
  - `phase=Running`
  - `reason=`
  - `message=`
- Container status:
  - `state=Terminated`
  - `exitCode=137`
  - `reason=Error`
",
        accept: &[("undetermined", UNKNOWN), ("taint-eviction", SPARED)],
    },
    Paste {
        name: "a list with an OOM kill",
        text: "* Pod status:
  * status: OOMKilled
  * `phase=Failed`
  * `reason=`
* Container status:
  * `state=Terminated`
  * `exitCode=137`
  * `reason=OOMKilled`
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Argo about a step",
        text: "Message: OOMKilled (exit code 137)
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Argo about a pod",
        text: "level=error msg=\"Error from pod: OOMKilled (exit code 137)\" namespace=argo workflow=etl-7h2
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Argo about a container that left by itself",
        text: "step-2   Error (exit code 1)
",
        accept: &[("app-error", SPARED), ("app-error", UNKNOWN)],
    },
    Paste {
        name: "Argo about a deletion",
        text: "Message:  pod deleted
",
        accept: &[NOTHING, ("user-deleted", SPARED), ("user-deleted", UNKNOWN), ("undetermined", UNKNOWN)],
    },
    Paste {
        name: "a field list on one line",
        text: "pod failed: exitCode 137 reason OOMKilled
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a field list with colons",
        text: "container \"train\" terminated: exit code: 137, reason: OOMKilled, message: \"\"
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Tekton about a step",
        text: "\"step-build\" exited with code 137 (image: \"example/builder\"); for logs run: kubectl -n ci logs build-pod -c step-build
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "an exec that was killed",
        text: "$ kubectl exec -it web-0 -- bash
root@web-0:/# command terminated with exit code 137
",
        accept: &[("undetermined", UNKNOWN), NOTHING],
    },
    Paste {
        name: "Airflow about a pod",
        text: "[2024-03-04, 10:11:12 UTC] {pod.py:961} INFO - Pod etl-task-9x has phase Running
airflow.exceptions.AirflowException: Pod etl-task-9x returned a failure: {'exit_code': 137, 'reason': 'OOMKilled', 'message': None, 'signal': None, 'started_at': datetime.datetime(2024, 3, 4, 10, 11, 12, tzinfo=tzlocal()), 'finished_at': datetime.datetime(2024, 3, 4, 10, 11, 52, tzinfo=tzlocal())}
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Spark about an executor",
        text: "24/03/04 10:00:01 ERROR TaskSchedulerImpl: Lost executor 3 on 10.1.2.3:
The executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).
The API gave the following container statuses:
         container name: spark-kubernetes-executor
         container image: example/spark:3.5
         container state: terminated
         container started at: 2024-03-04T09:50:01Z
         container finished at: 2024-03-04T10:00:00Z
         exit code: 137
         termination reason: OOMKilled
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Spark about an executor without a reason",
        text: "The executor with id 3 exited with exit code 137(SIGKILL, possible container OOM).
The API gave the following brief reason: N/A
The API gave the following message: N/A
The API gave the following container statuses:
         container name: spark-kubernetes-executor
         container state: terminated
         exit code: 137
         termination reason: Error
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "Spark about an executor that was evicted",
        text: "The executor with id 7 exited with exit code -1(unexpected).
The API gave the following brief reason: Evicted
The API gave the following message: The node was low on resource: memory. Threshold quantity: 100Mi, available: 10Mi.
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
    Paste {
        name: "Nomad about an OOM that Docker saw",
        text: "Recent Events:
Time                  Type        Description
2024-03-04T10:00:01Z  Terminated  Exit Code: 137, Exit Message: \"OOM Killed\"
2024-03-04T09:00:01Z  Started     Task started by client
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Nomad's guess from the code alone",
        text: "2024-03-04T10:00:01Z  Terminated  Exit Code: 137, Exit Message: \"OOM Killed (137)\"
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "compose about an exit",
        text: "web_1  | starting
example_web_1 exited with code 137
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "docker ps about an exit",
        text: "CONTAINER ID   IMAGE         COMMAND     CREATED          STATUS                       PORTS   NAMES
3f1b8c0d9e7a   example/web   \"/web\"      10 minutes ago   Exited (137) 2 minutes ago           web
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "ECS about a task",
        text: "\"stoppedReason\": \"OutOfMemoryError: Container killed due to memory usage\",
\"exitCode\": 137,
",
        accept: &[("container-limit-oom", KILLED), ("undetermined", KILLED)],
    },
    Paste {
        name: "a note about nothing",
        text: "We raised the limit last week and it has been fine since.
",
        accept: &[NOTHING],
    },
    Paste {
        name: "Spark 2 prints Java objects",
        text: "The executor with id 4 exited with exit code 137.
The API gave the following brief reason: null
The API gave the following message: null
The API gave the following container statuses:

ContainerStatus(containerID=docker://9a7e, image=example/spark, lastState=ContainerState(running=null, terminated=null, waiting=null, additionalProperties={}), name=executor, ready=false, restartCount=0, state=ContainerState(running=null, terminated=ContainerStateTerminated(containerID=docker://9a7e, exitCode=137, finishedAt=2020-03-02T11:20:07Z, message=null, reason=OOMKilled, signal=null, startedAt=2020-03-02T10:02:41Z, additionalProperties={}), waiting=null, additionalProperties={}), additionalProperties={})
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a list with a container that waits",
        text: "- Pod status:
  - status: ImagePullBackOff
  - `phase=Pending`
  - `reason=`
- Container status:
  - `state=Waiting`
  - `reason=ImagePullBackOff`
",
        accept: &[("start-error", SPARED)],
    },
    Paste {
        name: "a list with a lost status",
        text: "- Pod status:
  - status: Terminating
  - `phase=Failed`
  - `reason=`
- Container status:
  - `state=Terminated`
  - `exitCode=137`
  - `reason=ContainerStatusUnknown`
",
        accept: &[("status-lost", UNKNOWN)],
    },
    Paste {
        name: "a reason behind its code",
        text: "Task failed: container exited with code 137 (OOMKilled)
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a reason with the bare code",
        text: "Pod web-0: OOMKilled (137)
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "a denial",
        text: "exit code 137, but not OOMKilled
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "Jenkins about an agent",
        text: "shop/agent-x1 Container build was terminated (Exit Code: 137, Reason: OOMKilled)
",
        accept: &[("container-limit-oom", KILLED)],
    },
    Paste {
        name: "Jenkins in brackets",
        text: "jnlp -- terminated (137)
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "GitLab about a job",
        text: "ERROR: Job failed: command terminated with exit code 137
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "docker run in too small a limit",
        text: "docker: Error response from daemon: OCI runtime create failed: container_linux.go:344: starting container process caused \"process_linux.go:424: container init caused \\\"process_linux.go:390: setting cgroup config for procHooks process caused \\\\\\\"failed to write 4194304 to memory.memsw.limit_in_bytes: device or resource busy\\\\\\\"\\\"\": unknown.
",
        accept: &[("start-oom", UNKNOWN)],
    },
    Paste {
        name: "ECS could not start",
        text: "Status reason | CannotStartContainerError: Error response from daemon: OCI runtime create failed: container_linux.go:380: starting container process caused: container init was OOM-killed (memory limit too low?): unknown
",
        accept: &[("start-oom", KILLED)],
    },
    Paste {
        name: "a list of a node that is lost",
        text: "- Pod status:
  - status: Unknown
  - `phase=Running`
  - `reason=NodeLost`
  - `message=Node rack-9 which was running pod batch-3 is unresponsive`
- Container status:
  - `state=Running`
  - `exitCode=`
  - `reason=`
",
        accept: &[("undetermined", UNKNOWN)],
    },
    Paste {
        name: "a list of a pod on a node that is gone",
        text: "- Pod status:
  - status: Terminating
  - `phase=Running`
  - `reason=`
- Container status:
  - `state=Running`
  - `exitCode=`
",
        accept: &[NOTHING],
    },
    Paste {
        name: "a list with remarks of the code",
        text: "Memory-pressure eviction:

- Reproduction: a pod allocates more memory than the node has
- Comments: controlled by kubelet in `kubelet/eviction/eviction_manager.go`
- Pod status:
  - status: ContainerStatusUnknown
  - `phase=Failed`
  - `reason=Evicted`
  - `message=The node was low on resource: memory. (...)`
- Container status:
  - `state=Ternminated`
  - `exitCode=137`
  - `reason=ContainerStatusUnknown`
",
        accept: &[("kubelet-memory-eviction", SPARED)],
    },
];
