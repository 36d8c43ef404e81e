package kube

import (
	"context"
	"fmt"
	"strings"

	authn "k8s.io/api/authentication/v1"
	auth "k8s.io/api/authorization/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Permission is one that a session needs in the namespace of its target.
type Permission struct {
	Verb, Group, Resource, Subresource string
	// For says what it is needed for.
	For string
	// Either is not empty when one permission with this text is enough.
	Either string
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
		{Verb: "get", Resource: "pods", For: "finding the pod"},
		{Verb: "get", Resource: "pods", Subresource: "exec", For: "running commands in the container over WebSocket", Either: "exec"},
		{Verb: "create", Resource: "pods", Subresource: "exec", For: "running commands in the container over SPDY, and from Kubernetes 1.35 on also over WebSocket", Either: "exec"},
	}
	kind, _, isKind := strings.Cut(target, "/")
	if !isKind && !strings.ContainsAny(target, "=,! ") {
		return all
	}
	list := Permission{Verb: "list", Resource: "pods", For: "finding the pods of " + target}
	switch group, resource := workload(kind); {
	case !isKind:
		return append(all, list)
	case resource != "":
		return append(all, list, Permission{Verb: "get", Group: group, Resource: resource, For: "finding " + target})
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

// Copying are the permissions for a held copy.
func Copying() []Permission {
	return []Permission{
		{Verb: "create", Resource: "pods", For: "making a held copy of the pod"},
		{Verb: "delete", Resource: "pods", For: "removing the copy again"},
	}
}

// Ephemeral is the permission for a container without a shell.
func Ephemeral() Permission {
	return Permission{Verb: "patch", Resource: "pods", Subresource: "ephemeralcontainers", For: "bringing the helper into a container without a shell"}
}

// May asks the API server for each permission whether the user has it. One that cannot be
// asked for is unknown, which is no failure.
func (c *Cluster) May(ctx context.Context, permissions ...Permission) []Finding {
	out := make([]Finding, len(permissions))
	enough := map[string]bool{}
	for i, p := range permissions {
		out[i] = c.may(ctx, p)
		if out[i].State == OK {
			enough[p.Either] = true
		}
	}
	for i, p := range permissions {
		if p.Either != "" && enough[p.Either] && out[i].State == Failed {
			out[i].State, out[i].Why = Warning, out[i].Why+"; there is another way, but only one"
		}
	}
	return out
}

func (c *Cluster) may(ctx context.Context, p Permission) Finding {
	f := Finding{Check: "may " + p.String(), State: OK, What: "yes"}
	review := &auth.SelfSubjectAccessReview{Spec: auth.SelfSubjectAccessReviewSpec{ResourceAttributes: &auth.ResourceAttributes{
		Namespace: c.namespace, Verb: p.Verb, Group: p.Group, Resource: p.Resource, Subresource: p.Subresource}}}
	answer, err := c.client.AuthorizationV1().SelfSubjectAccessReviews().Create(ctx, review, meta.CreateOptions{})
	switch {
	case err != nil:
		f.State, f.What = Unknown, err.Error()
		f.Why, f.Fix = "the API server does not say; a session asks for what it needs, and says what it may not", ""
	case !answer.Status.Allowed:
		f.State, f.What = Failed, strings.TrimSuffix("no: "+answer.Status.Reason, ": ")
		f.Why, f.Fix = "it is needed for "+p.For, c.grant(ctx, p)
	}
	return f
}

// grant is the command by which somebody who may gives the user a permission.
func (c *Cluster) grant(ctx context.Context, p Permission) string {
	subject := "--user=NAME"
	if me, err := c.client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authn.SelfSubjectReview{}, meta.CreateOptions{}); err == nil && me.Status.UserInfo.Username != "" {
		name := me.Status.UserInfo.Username
		subject = "--user=" + name
		if account, ok := strings.CutPrefix(name, "system:serviceaccount:"); ok {
			subject = "--serviceaccount=" + account
		}
	}
	resource := strings.TrimPrefix(p.String(), p.Verb+" ")
	role := "envoydbg-" + p.Verb + "-" + strings.NewReplacer("/", "-", ".", "-").Replace(resource)
	return fmt.Sprintf("kubectl create role %s -n %s --verb=%s --resource=%s && kubectl create rolebinding %[1]s -n %[2]s --role=%[1]s %[5]s",
		role, c.namespace, p.Verb, resource, subject)
}

// Reach asks the API server for its version.
func (c *Cluster) Reach() Finding {
	f := Finding{Check: "API server", State: OK}
	v, err := c.client.Discovery().ServerVersion()
	if err != nil {
		f.State, f.What = Failed, err.Error()
		f.Why, f.Fix = "everything goes through "+c.Server(), "find out with \"kubectl version\" and the same flags, which must answer: the address, the network or the login is not right"
		return f
	}
	f.What = fmt.Sprintf("%s at %s", v.GitVersion, c.Server())
	return f
}
