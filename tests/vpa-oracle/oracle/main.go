// Plays stories to the recommender of the Vertical Pod Autoscaler, upstream's own code, and answers what it recommends:
// what the model in crates/core/src/size/vpa is held against. One story a line on stdin, one line of answers on stdout.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	vpa_types "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/routines"
)

// A Story is what happens to the container "app" of one workload, in order. The pod has so many containers.
type Story struct {
	Containers int     `json:"containers"`
	Events     []Event `json:"events"`
}

// An Event names what happens: "memory", "cpu" (samples), "oom", "checkpoint" (save), "restart" (save, and load into a
// recommender that knows nothing else), "load" (a checkpoint that is told, into such a recommender), "recommend".
type Event struct {
	What    string `json:"what"`
	Replica int    `json:"replica"`
	At      int64  `json:"at"`
	Bytes   int64  `json:"bytes"`
	Saved   Saved  `json:"saved"`
}

// An Answer is to "recommend", "checkpoint" or "restart".
type Answer struct {
	Target int64  `json:"target"`
	Lower  int64  `json:"lower"`
	Upper  int64  `json:"upper"`
	Saved  *Saved `json:"saved,omitempty"`
}

// Saved is what a checkpoint keeps; moments in seconds of Unix time, the total weight as the bits of its float64.
type Saved struct {
	First     int64          `json:"first"`
	Last      int64          `json:"last"`
	Samples   int            `json:"samples"`
	Reference int64          `json:"reference"`
	Weights   map[int]uint32 `json:"weights"`
	Total     uint64         `json:"total"`
}

// The flags' defaults: pkg/recommender/config/config.go.
var recommender = logic.CreatePodResourceRecommender(logic.RecommendationConfig{
	SafetyMarginFraction: 0.15, PodMinCPUMillicores: 25, PodMinMemoryMb: 250,
	TargetCPUPercentile: 0.9, LowerBoundCPUPercentile: 0.5, UpperBoundCPUPercentile: 0.95,
	ConfidenceIntervalCPU:  24 * time.Hour,
	TargetMemoryPercentile: 0.9, LowerBoundMemoryPercentile: 0.5, UpperBoundMemoryPercentile: 0.95,
	ConfidenceIntervalMemory: 24 * time.Hour,
})

const (
	namespace = "shop"
	container = "app"
)

var app = labels.Set{"app": "cart"}

// A Play is a recommender that watches one VPA.
type Play struct {
	story   *Story
	cluster model.ClusterState
	vpa     *model.Vpa
}

func begin(story *Story) *Play {
	cluster := model.NewClusterState(time.Hour)
	object := &vpa_types.VerticalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "cart"}}
	if err := cluster.AddOrUpdateVpa(object, labels.SelectorFromSet(app)); err != nil {
		panic(err)
	}
	play := &Play{story, cluster, cluster.VPAs()[model.VpaID{Namespace: namespace, VpaName: "cart"}]}
	play.id(0)
	return play
}

// The container of a replica, which is there from now on, with all others of its pod.
func (play *Play) id(replica int) model.ContainerID {
	pod := model.PodID{Namespace: namespace, PodName: fmt.Sprintf("cart-%d", replica)}
	id := model.ContainerID{PodID: pod, ContainerName: container}
	if play.cluster.GetContainer(id) == nil {
		play.cluster.AddOrUpdatePod(pod, app, corev1.PodRunning)
		for number := range play.story.Containers {
			name := container
			if number > 0 {
				name = fmt.Sprintf("sidecar-%d", number)
			}
			if err := play.cluster.AddOrUpdateContainer(model.ContainerID{PodID: pod, ContainerName: name}, nil); err != nil {
				panic(err)
			}
		}
	}
	return id
}

func (play *Play) sample(event *Event, resource model.ResourceName, usage int64) {
	// A sample that is refused is an answer as well: what is recommended stays.
	_ = play.cluster.AddSample(&model.ContainerUsageSampleWithKey{
		ContainerUsageSample: model.ContainerUsageSample{
			MeasureStart: time.Unix(event.At, 0), Usage: model.ResourceAmount(usage), Resource: resource,
		},
		Container: play.id(event.Replica),
	})
}

// As pkg/recommender/checkpoint/checkpoint_writer.go does with the clock's time: what is under way is left out.
func (play *Play) save(now time.Time) *vpa_types.VerticalPodAutoscalerCheckpointStatus {
	state := play.vpa.AggregateStateByContainerName()[container]
	for replica := range 16 {
		id := model.ContainerID{
			PodID:         model.PodID{Namespace: namespace, PodName: fmt.Sprintf("cart-%d", replica)},
			ContainerName: container,
		}
		if it := play.cluster.GetContainer(id); it != nil && now.Before(it.WindowEnd) {
			state.AggregateMemoryPeaks.SubtractSample(model.BytesFromMemoryAmount(it.GetMaxMemoryPeak()), 1.0, it.WindowEnd)
		}
	}
	saved, err := state.SaveToCheckpoint()
	if err != nil {
		panic(err)
	}
	return throughServer(saved)
}

// Through the API server and back: moments lose their fractions.
func throughServer(saved *vpa_types.VerticalPodAutoscalerCheckpointStatus) *vpa_types.VerticalPodAutoscalerCheckpointStatus {
	bytes, err := json.Marshal(saved)
	if err != nil {
		panic(err)
	}
	read := &vpa_types.VerticalPodAutoscalerCheckpointStatus{}
	if err := json.Unmarshal(bytes, read); err != nil {
		panic(err)
	}
	return read
}

// A recommender that knows a checkpoint alone, as pkg/recommender/input/cluster_feeder.go sets it.
func (play *Play) load(checkpoint *vpa_types.VerticalPodAutoscalerCheckpointStatus) *Play {
	fresh := begin(play.story)
	state := model.NewAggregateContainerState()
	if state.LoadFromCheckpoint(checkpoint) == nil {
		fresh.vpa.ContainersInitialAggregateState[container] = state
	}
	return fresh
}

func told(saved *vpa_types.VerticalPodAutoscalerCheckpointStatus) *Saved {
	memory := saved.MemoryHistogram
	return &Saved{
		First: saved.FirstSampleStart.Unix(), Last: saved.LastSampleStart.Unix(), Samples: saved.TotalSamplesCount,
		Reference: memory.ReferenceTimestamp.Unix(), Weights: memory.BucketWeights,
		Total: math.Float64bits(memory.TotalWeight),
	}
}

func (saved *Saved) checkpoint() *vpa_types.VerticalPodAutoscalerCheckpointStatus {
	at := func(seconds int64) metav1.Time { return metav1.NewTime(time.Unix(seconds, 0).UTC()) }
	return throughServer(&vpa_types.VerticalPodAutoscalerCheckpointStatus{
		FirstSampleStart: at(saved.First), LastSampleStart: at(saved.Last), TotalSamplesCount: saved.Samples,
		MemoryHistogram: vpa_types.HistogramCheckpoint{
			ReferenceTimestamp: at(saved.Reference), BucketWeights: saved.Weights,
			TotalWeight: math.Float64frombits(saved.Total),
		},
		Version: model.SupportedCheckpointVersion,
	})
}

func play(story *Story) []Answer {
	it := begin(story)
	answers := []Answer{}
	for index := range story.Events {
		event := &story.Events[index]
		switch event.What {
		case "memory":
			it.sample(event, model.ResourceMemory, event.Bytes)
		case "cpu":
			it.sample(event, model.ResourceCPU, 100)
		case "oom":
			_ = it.cluster.RecordOOM(it.id(event.Replica), time.Unix(event.At, 0), model.ResourceAmount(event.Bytes))
		case "checkpoint":
			answers = append(answers, Answer{Saved: told(it.save(time.Unix(event.At, 0)))})
		case "restart":
			saved := it.save(time.Unix(event.At, 0))
			answers = append(answers, Answer{Saved: told(saved)})
			it = it.load(saved)
		case "load":
			it = it.load(event.Saved.checkpoint())
		case "recommend":
			all := recommender.GetRecommendedPodResources(routines.GetContainerNameToAggregateStateMap(it.vpa))[container]
			answers = append(answers, Answer{
				Target: int64(all.Target[model.ResourceMemory]),
				Lower:  int64(all.LowerBound[model.ResourceMemory]),
				Upper:  int64(all.UpperBound[model.ResourceMemory]),
			})
		default:
			panic("no such event: " + event.What)
		}
	}
	return answers
}

func main() {
	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	stories := json.NewDecoder(lines)
	for stories.More() {
		story := &Story{}
		if err := stories.Decode(story); err != nil {
			fmt.Fprintln(os.Stderr, "vpa-oracle:", err)
			os.Exit(1)
		}
		if err := answers.Encode(play(story)); err != nil {
			os.Exit(1)
		}
		out.Flush()
	}
}
