package kube

import (
	"context"
	"fmt"
	"strings"

	auth "k8s.io/api/authorization/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Permission is one that a session needs in the namespace of its target.
type Permission struct {
	Verb, Group, Resource, Subresource string
	// For says what it is needed for.
	For string
}

// String is the permission as `kubectl auth can-i` takes it.
func (p Permission) String() string {
	resource := p.Resource
	if p.Group != "" {
		resource += "." + p.Group
	}
	if p.Subresource != "" {
		resource += "/" + p.Subresource
	}
	return p.Verb + " " + resource
}

// Permissions are those that a target needs; docs/security.md has them as a Role.
func Permissions(target string) []Permission {
	all := []Permission{
		{"get", "", "pods", "", "finding the pod"},
		{"get", "", "pods", "exec", "running commands in the container over WebSocket"},
		{"create", "", "pods", "exec", "running commands in the container"},
	}
	kind, _, isKind := strings.Cut(target, "/")
	if !isKind && !strings.ContainsAny(target, "=,! ") {
		return all
	}
	list := Permission{"list", "", "pods", "", "finding the pods of " + target}
	switch group, resource := workload(kind); {
	case !isKind:
		return append(all, list)
	case resource != "":
		return append(all, list, Permission{"get", group, resource, "", "finding " + target})
	}
	return all
}

// workload is the resource of a kind that has pods; empty for a pod.
func workload(kind string) (group, resource string) {
	name, _, _ := strings.Cut(strings.ToLower(kind), ".")
	for resource, names := range map[string][]string{"statefulsets": {"statefulset", "sts"}, "deployments": {"deployment", "deploy"},
		"daemonsets": {"daemonset", "ds"}, "replicasets": {"replicaset", "rs"}, "jobs": {"job"}} {
		for _, n := range append(names, resource) {
			if n == name {
				if resource == "jobs" {
					return "batch", resource
				}
				return "apps", resource
			}
		}
	}
	return "", ""
}

// May asks the API server for each permission whether the user has it.
func (c *Cluster) May(ctx context.Context, permissions []Permission) []Finding {
	var out []Finding
	for _, p := range permissions {
		f := Finding{Check: "may " + p.String(), State: OK, What: "yes"}
		review := &auth.SelfSubjectAccessReview{Spec: auth.SelfSubjectAccessReviewSpec{ResourceAttributes: &auth.ResourceAttributes{
			Namespace: c.namespace, Verb: p.Verb, Group: p.Group, Resource: p.Resource, Subresource: p.Subresource}}}
		answer, err := c.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
		switch {
		case err != nil:
			f.State, f.What = Unknown, err.Error()
			f.Why, f.Fix = "the API server does not tell", ""
		case !answer.Status.Allowed:
			f.State, f.What = Failed, strings.TrimSpace("no "+answer.Status.Reason)
			f.Why = "it is needed for " + p.For
			f.Fix = fmt.Sprintf("kubectl create role envoydbg -n %s --verb=%s --resource=%s", c.namespace, p.Verb, strings.TrimPrefix(p.String(), p.Verb+" "))
		}
		out = append(out, f)
	}
	return out
}

// Reach asks the API server for its version.
func (c *Cluster) Reach() Finding {
	f := Finding{Check: "API server", State: OK}
	v, err := c.client.Discovery().ServerVersion()
	if err != nil {
		f.State, f.What = Failed, err.Error()
		f.Why, f.Fix = "everything goes through "+c.Server(), "kubectl version"
		return f
	}
	f.What = fmt.Sprintf("%s at %s", v.GitVersion, c.Server())
	return f
}
