package kube

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	testkit "k8s.io/client-go/testing"
)

// volumes gives the sidecar the rights and the volumes that Istio gives it.
func volumes(p *core.Pod) {
	disk, memory, user, yes := core.EmptyDirVolumeSource{}, core.EmptyDirVolumeSource{Medium: core.StorageMediumMemory}, int64(1337), true
	p.Spec.Volumes = []core.Volume{
		{Name: "data", VolumeSource: core.VolumeSource{EmptyDir: &disk}},
		{Name: "config", VolumeSource: core.VolumeSource{EmptyDir: &memory}},
		{Name: "token", VolumeSource: core.VolumeSource{Secret: &core.SecretVolumeSource{}}},
	}
	c := &p.Spec.Containers[1]
	c.Image = "istio/proxyv2:1-distroless"
	c.SecurityContext = &core.SecurityContext{RunAsUser: &user, RunAsNonRoot: &yes, Capabilities: &core.Capabilities{Drop: []core.Capability{"ALL"}}}
	c.VolumeMounts = []core.VolumeMount{{Name: "data", MountPath: "/var/lib/istio/data"}, {Name: "config", MountPath: "/etc/istio/proxy"},
		{Name: "token", MountPath: "/var/run/secrets/tokens"}, {Name: "data", MountPath: "/sub", SubPath: "sub"}, {Name: "data", MountPath: "/ro", ReadOnly: true}}
}

// kubelet answers a patch as a kubelet would: the states come one after another, each
// seen once, the last for ever.
func kubelet(t *testing.T, c *Cluster, p *core.Pod, states ...core.ContainerState) *core.EphemeralContainer {
	t.Helper()
	made := &core.EphemeralContainer{}
	client := c.client.(*fake.Clientset)
	client.PrependReactor("patch", "pods", func(a testkit.Action) (bool, runtime.Object, error) {
		patch := a.(testkit.PatchAction)
		if patch.GetSubresource() != "ephemeralcontainers" {
			t.Errorf("a patch of %q", patch.GetSubresource())
		}
		var body core.Pod
		if err := json.Unmarshal(patch.GetPatch(), &body); err != nil || len(body.Spec.EphemeralContainers) != 1 {
			t.Errorf("%v: %s", err, patch.GetPatch())
			return true, p, nil
		}
		*made = body.Spec.EphemeralContainers[0]
		return true, p, nil
	})
	client.PrependReactor("get", "pods", func(testkit.Action) (bool, runtime.Object, error) {
		now := p.DeepCopy()
		if made.Name != "" && len(states) > 0 {
			now.Status.EphemeralContainerStatuses = []core.ContainerStatus{{Name: made.Name, State: states[0]}}
			if len(states) > 1 {
				states = states[1:]
			}
		}
		return true, now, nil
	})
	return made
}

func waits(reason string) core.ContainerState {
	return core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: "so it is"}}
}

var running = core.ContainerState{Running: &core.ContainerStateRunning{}}

// An ephemeral container is what the sidecar is: user, rights, volumes on disk.
func TestAnEphemeralContainerIsLikeItsSidecar(t *testing.T) {
	p := pod("a", "a", volumes)
	c := cluster(p)
	s, err := c.Find(context.Background(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	if s.Image != "istio/proxyv2:1-distroless" || !slices.Equal(s.Shared, []string{"/var/lib/istio/data"}) {
		t.Errorf("%+v", s)
	}
	made := kubelet(t, c, p, core.ContainerState{}, waits("ContainerCreating"), running)
	beside, err := s.Beside(context.Background(), "busybox", []string{"sh", "-c", "true"})
	if err != nil {
		t.Fatal(err)
	}
	if made.Name != beside.Container || !strings.HasPrefix(made.Name, "envoydbg-") || made.Image != "busybox" || made.TargetContainerName != "istio-proxy" ||
		!slices.Equal(made.Command, []string{"sh", "-c", "true"}) || *made.SecurityContext.RunAsUser != 1337 || !*made.SecurityContext.RunAsNonRoot ||
		made.SecurityContext.Capabilities.Drop[0] != "ALL" || len(made.VolumeMounts) != 1 || made.VolumeMounts[0].MountPath != "/var/lib/istio/data" {
		t.Errorf("%+v", made)
	}
	if beside.Pod != "a" || s.Container != "istio-proxy" {
		t.Errorf("%+v of %+v", beside, s)
	}
}

// Where only the image says who the user is, the kubelet tells it.
func TestAnEphemeralContainerHasTheUserOfTheImage(t *testing.T) {
	p := pod("a", "a")
	p.Status.ContainerStatuses[1].User = &core.ContainerUser{Linux: &core.LinuxContainerUser{UID: 101, GID: 102}}
	if got := security(p, &p.Spec.Containers[1]); *got.RunAsUser != 101 || *got.RunAsGroup != 102 {
		t.Errorf("%+v", got)
	}
	user := int64(5)
	p.Spec.SecurityContext = &core.PodSecurityContext{RunAsUser: &user}
	if got := security(p, &p.Spec.Containers[1]); got.RunAsUser != nil {
		t.Errorf("it does not leave it to the pod: %+v", got)
	}
}

func TestWhyAnEphemeralContainerDoesNotStart(t *testing.T) {
	ended := core.ContainerState{Terminated: &core.ContainerStateTerminated{ExitCode: 128, Reason: "StartError"}}
	for want, state := range map[string]core.ContainerState{"ErrImagePull so it is": waits("ErrImagePull"), "ImagePullBackOff": waits("ImagePullBackOff"),
		"CreateContainerConfigError": waits("CreateContainerConfigError"), "exit code 128 StartError": ended} {
		p := pod("a", "a")
		c := cluster(p)
		s, err := c.Find(context.Background(), "a", "")
		if err != nil {
			t.Fatal(err)
		}
		kubelet(t, c, p, waits("ContainerCreating"), state)
		_, err = s.Beside(context.Background(), "busybox", nil)
		if e := new(NotRunningError); !errors.As(err, &e) || !strings.Contains(e.State, want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// Nothing is made in another pod of the same name, and a wait ends with its caller's.
func TestAnEphemeralContainerOfAPodThatIsGone(t *testing.T) {
	p := pod("a", "a")
	c := cluster(p)
	s, err := c.Find(context.Background(), "a", "")
	if err != nil {
		t.Fatal(err)
	}
	kubelet(t, c, p, waits("ContainerCreating"))
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := s.Beside(ctx, "busybox", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait that is given up: %v", err)
	}
	s.UID = "another"
	if _, err := s.Beside(context.Background(), "busybox", nil); !apierrors.IsNotFound(err) || !s.Gone(err) {
		t.Errorf("%v", err)
	}
}

func TestWhatIsNoProgram(t *testing.T) {
	s := &Sidecar{}
	for text, want := range map[string]bool{
		`OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not found in $PATH: unknown`: true,
		`OCI runtime exec failed: exec failed: unable to start container process: exec: "/x": stat /x: no such file or directory: unknown`: true,
		"exec failed: executable file `sh` not found in $PATH: No such file or directory":                                                  true,
		`pods "a" not found`: false,
		"dial tcp 10.0.0.1:10250: connect: connection refused": false,
	} {
		if got := s.NoProgram(errors.New(text)); got != want {
			t.Errorf("%v of %s", got, text)
		}
	}
	if !s.NoProgram(&ExitError{127, "exec failed: executable file `sh` not found"}) || s.NoProgram(&ExitError{1, "exec: no such file or directory"}) {
		t.Error("an exit code")
	}
}
