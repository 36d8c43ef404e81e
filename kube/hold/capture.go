package hold

import (
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// ownerGroups is the variable by which istio-iptables captures only what some groups send.
const ownerGroups = "ISTIO_OUTBOUND_OWNER_GROUPS"

// captureContainer is the init container of a copy that limits capture to one user.
const captureContainer = "envoydbg-capture"

// Owner is a user or a group whose connections are captured: alone of all in the pod.
type Owner struct {
	Kind string // "uid" or "gid"
	ID   string // its number
}

// String is the owner as the user writes it: "uid 1000".
func (o Owner) String() string { return o.Kind + " " + o.ID }

// limit lets Envoy get what the owner sends, and nothing else that leaves a container. For a
// group Istio's own init container has a variable. For a user there is none, so another init
// container follows it, with its image and its privileges, and puts one rule before the one
// that redirects: whoever is not that user leaves its chain. Envoy's own rules are not
// touched. The note says why it cannot be done.
func limit(spec *core.PodSpec, o Owner) *Note {
	at := slices.IndexFunc(spec.InitContainers, setsRules)
	if at < 0 {
		return &Note{What: "no init container of the pod sets its iptables", Stops: true,
			Why: "Istio's CNI plugin or ztunnel does, outside the pod, and neither can be told for whom", Fix: "leave out \"capture\""}
	}
	// A copy of a copy is limited anew.
	spec.InitContainers = slices.DeleteFunc(spec.InitContainers, func(c core.Container) bool { return c.Name == captureContainer })
	at = slices.IndexFunc(spec.InitContainers, setsRules)
	rules := &spec.InitContainers[at]
	if o.Kind == "gid" {
		rules.Env = slices.DeleteFunc(rules.Env, func(e core.EnvVar) bool { return e.Name == ownerGroups })
		rules.Env = append(rules.Env, core.EnvVar{Name: ownerGroups, Value: o.ID})
		return nil
	}
	spec.InitContainers = slices.Insert(spec.InitContainers, at+1, core.Container{
		Name: captureContainer, Image: rules.Image, ImagePullPolicy: rules.ImagePullPolicy,
		Command:   []string{"iptables", "-w", "-t", "nat", "-I", "ISTIO_REDIRECT", "1", "-m", "owner", "!", "--uid-owner", o.ID, "-j", "RETURN"},
		Resources: *rules.Resources.DeepCopy(), SecurityContext: rules.SecurityContext.DeepCopy(),
	})
	return nil
}

// setsRules says of an init container that it sets the pod's iptables. With the CNI plugin
// one runs that only looks at them.
func setsRules(c core.Container) bool {
	words := Command(&c)
	return slices.Contains(words, "istio-iptables") &&
		!slices.ContainsFunc(words, func(w string) bool { return w == "--skip-rule-apply" || strings.HasPrefix(w, "--skip-rule-apply=true") })
}
