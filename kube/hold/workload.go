package hold

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// Annotations of Istio's by which the injector writes another command into a sidecar.
const (
	overrides  = "proxy.istio.io/overrides"
	statusPort = "status.sidecar.istio.io/port"           // 0: no probes
	rewrite    = "sidecar.istio.io/rewriteAppHTTPProbers" // they would come through the agent
	config     = "proxy.istio.io/config"                  // YAML of Istio's ProxyConfig
	holdsApp   = "holdApplicationUntilProxyStarts"        // a postStart hook that waits for Envoy
	inject     = "sidecar.istio.io/inject"                // a label
)

// WorkloadOptions are what holding a workload needs to know beside the object.
type WorkloadOptions struct {
	Who, Target, Container string
	Now                    time.Time
	Session                bool // it is for one session alone
	// Command is what the container runs when it is not held.
	Command []string
	// Template is the path of the pod template; nil for spec.template. Empty, the object is
	// a pod.
	Template []string
}

// usual is the path of the pod template in most kinds.
var usual = []string{"spec", "template"}

// auto is the image of a container in a template that the injector completes: a gateway's,
// or a sidecar with changes of the user's.
const auto = "auto"

// Workload makes the change that lets the next pods of a workload come up with a sidecar
// that waits: by annotations, where the injector makes the container, else in the container
// itself. object is the whole workload. The label and the record go to it and to its pods.
func Workload(object meta.Object, pod *core.PodTemplateSpec, o WorkloadOptions) (patch []Operation, err error) {
	t, err := treeOf(object)
	if err != nil {
		return nil, err
	}
	e := &editor{object: t}
	if o.Template == nil {
		o.Template = usual
	}
	at := func(names ...string) []string { return append(slices.Clone(o.Template), names...) }
	record := Record{Session: o.Session, Who: o.Who, Since: o.Now.UTC().Truncate(time.Second), Target: o.Target, Container: o.Container, Command: o.Command}
	e.set(KindWorkload, at("metadata", "labels", Label)...)
	e.set(record.text(), at("metadata", "annotations", Annotation)...)
	for list, containers := range map[string][]core.Container{"initContainers": pod.Spec.InitContainers, "containers": pod.Spec.Containers} {
		for i, c := range containers {
			in := at("spec", list, strconv.Itoa(i))
			change := map[string]any{}
			if c.Name == o.Container {
				command, args := waiting(&c)
				change = map[string]any{"command": command, "args": nil, "startupProbe": nil, "readinessProbe": nil, "livenessProbe": nil, "lifecycle": nil}
				if len(args) > 0 {
					change["args"] = args
				}
			} else {
				for name, p := range map[string]*core.Probe{"startupProbe": c.StartupProbe, "livenessProbe": c.LivenessProbe} {
					if p != nil && p.Exec == nil {
						change[name] = nil
					}
				}
			}
			if len(change) > 0 {
				e.expect(append(in, "name")...)
			}
			for name, value := range change {
				e.set(value, append(slices.Clone(in), name)...)
			}
		}
	}
	own, _ := Container(&pod.Spec, o.Container)
	switch {
	case own != nil && len(Command(own)) > 0 && isEnvoy(Command(own)[0]): // the injector has no part in it
	case own != nil && own.Image != auto:
		// The injector would bring back what it knows.
		e.set("false", at("metadata", "labels", inject)...)
	default:
		if err := annotate(e, pod.Annotations, o.Container, own == nil, at); err != nil {
			return nil, err
		}
	}
	e.set(KindWorkload, "metadata", "labels", Label)
	// What leads to it is undone, too; its own value goes with the record.
	if _, there := e.object.get([]string{"metadata", "annotations"}); !there {
		e.set(map[string]any{}, "metadata", "annotations")
	}
	record.Edits = e.edits
	return append(e.operations, operation([]string{"metadata", "annotations", Annotation}, text(record.text()), false)), nil
}

// annotate lets the injector make a sidecar that waits. Its command is overridden unless
// the template has the container: what that says wins.
func annotate(e *editor, annotations map[string]string, container string, command bool, at func(...string) []string) error {
	all := map[string]string{statusPort: "0", rewrite: "false"}
	if command {
		waits, err := override(annotations[overrides], container)
		if err != nil {
			return err
		}
		all[overrides] = waits
	}
	// A hook that waits for Envoy would end the container that has none.
	proxy := map[string]any{}
	if err := yaml.Unmarshal([]byte(annotations[config]), &proxy); err != nil {
		return fmt.Errorf("the annotation %s cannot be read: %w", config, err)
	}
	proxy[holdsApp] = false
	all[config] = string(text(proxy))
	for name, value := range all {
		e.set(value, at("metadata", "annotations", name)...)
	}
	return nil
}

// override adds a container that waits to the value of the annotation overrides, for a
// classic sidecar and for a native one.
func override(had, container string) (string, error) {
	all := map[string][]map[string]any{}
	if had != "" {
		if err := json.Unmarshal([]byte(had), &all); err != nil {
			return "", fmt.Errorf("the annotation %s cannot be read: %w", overrides, err)
		}
	}
	for _, list := range []string{"containers", "initContainers"} {
		i := slices.IndexFunc(all[list], func(c map[string]any) bool { return c["name"] == container })
		if i < 0 {
			all[list] = append(all[list], map[string]any{"name": container})
			i = len(all[list]) - 1
		}
		all[list][i]["command"], all[list][i]["args"] = []string{Wait}, WaitArgs
	}
	return string(text(all)), nil
}

// Undo are the operations that make a held workload what it was before. The error is a
// *ChangedError where others have changed what would be undone.
func Undo(object meta.Object) ([]Operation, error) {
	r, err := Read(object)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, fmt.Errorf("the annotation %s is missing", Annotation)
	}
	t, err := treeOf(object)
	if err != nil {
		return nil, err
	}
	mark := []string{"metadata", "annotations", Annotation}
	t.put(mark, nil, false)
	operations, err := undo(t, r.Edits)
	return append([]Operation{operation(mark, nil, true)}, operations...), err
}

// Owners are the notes about who else changes a workload, and would undo the change or be
// surprised by it.
func Owners(o meta.Object) (notes []Note) {
	for _, x := range []struct{ label, annotation, who string }{
		{"argocd.argoproj.io/instance", "argocd.argoproj.io/tracking-id", "Argo CD"},
		{"kustomize.toolkit.fluxcd.io/name", "", "Flux"},
		{"helm.toolkit.fluxcd.io/name", "", "Flux"},
	} {
		_, labelled := o.GetLabels()[x.label]
		_, annotated := o.GetAnnotations()[x.annotation]
		if labelled || annotated {
			notes = append(notes, Note{What: x.who + " looks after " + o.GetName(), Why: "it may undo the change at its next synchronisation", Fix: "suspend it there, or hold a copy"})
		}
	}
	return notes
}
