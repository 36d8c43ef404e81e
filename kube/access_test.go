package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	authn "k8s.io/api/authentication/v1"
	auth "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	testkit "k8s.io/client-go/testing"
)

func TestPermissionsAreThoseThatTheTargetNeeds(t *testing.T) {
	for target, want := range map[string]string{
		"x":             "get pods, get pods/exec, create pods/exec",
		"pod/x":         "get pods, get pods/exec, create pods/exec",
		"app=x":         "get pods, get pods/exec, create pods/exec, list pods",
		"sts/x":         "get pods, get pods/exec, create pods/exec, list pods, get statefulsets.apps",
		"deployments/x": "get pods, get pods/exec, create pods/exec, list pods, get deployments.apps",
		"job.batch/x":   "get pods, get pods/exec, create pods/exec, list pods, get jobs.batch",
	} {
		var got []string
		for _, p := range Permissions(target) {
			got = append(got, p.String())
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %s, want %s", target, strings.Join(got, ", "), want)
		}
	}
}

// A permission that is denied fails; one that cannot be asked for does not.
func TestPermissionsAreAskedFor(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a testkit.Action) (bool, runtime.Object, error) {
		review := a.(testkit.CreateAction).GetObject().(*auth.SelfSubjectAccessReview)
		r := review.Spec.ResourceAttributes
		if r.Namespace != "demo" {
			t.Errorf("asked for the namespace %q", r.Namespace)
		}
		switch {
		case r.Verb == "list":
			return true, nil, errors.New("no reviews here")
		case r.Subresource == "exec":
			review.Status.Reason = "RBAC says so"
		default:
			review.Status.Allowed = true
		}
		return true, review, nil
	})
	c := &Cluster{client: client, namespace: "demo"}
	var got []string
	for _, f := range c.May(context.Background(), Permissions("app=x")...) {
		got = append(got, fmt.Sprintf("%s: %s", f.Check, f.State))
		if f.State == Failed && (!strings.Contains(f.What, "RBAC says so") || !strings.Contains(f.Fix, "--resource=pods/exec")) {
			t.Errorf("%+v", f)
		}
	}
	if want := "may get pods: ok, may get pods/exec: failed, may create pods/exec: failed, may list pods: unknown"; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
}

// Where one of two permissions is enough, the other is no failure; a denied one comes with
// the command that gives it to this user.
func TestOneWayToRunCommandsIsEnough(t *testing.T) {
	client := fake.NewClientset()
	denied := map[string]bool{}
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a testkit.Action) (bool, runtime.Object, error) {
		review := a.(testkit.CreateAction).GetObject().(*auth.SelfSubjectAccessReview)
		review.Status.Allowed = !denied[review.Spec.ResourceAttributes.Verb+" "+review.Spec.ResourceAttributes.Subresource]
		return true, review, nil
	})
	user := "jane"
	client.PrependReactor("create", "selfsubjectreviews", func(testkit.Action) (bool, runtime.Object, error) {
		return true, &authn.SelfSubjectReview{Status: authn.SelfSubjectReviewStatus{UserInfo: authn.UserInfo{Username: user}}}, nil
	})
	c := &Cluster{client: client, namespace: "demo"}
	for _, x := range []struct {
		denied string
		want   State
	}{{"get exec", Warning}, {"create exec", Warning}, {"get exec,create exec", Failed}, {"get ", Failed}} {
		clear(denied)
		for _, d := range strings.Split(x.denied, ",") {
			denied[d] = true
		}
		for _, f := range c.May(context.Background(), Permissions("pod/x")...) {
			if f.State != OK && (f.State != x.want || f.Why == "" || !strings.HasSuffix(f.Fix, "--user=jane")) {
				t.Errorf("%s: %+v", x.denied, f)
			}
		}
	}
	user = "system:serviceaccount:ci:builder"
	want := "kubectl create role envoydbg-get-pods -n demo --verb=get --resource=pods && kubectl create rolebinding envoydbg-get-pods -n demo --role=envoydbg-get-pods --serviceaccount=ci:builder"
	if f := c.May(context.Background(), Permissions("pod/x")[0])[0]; f.Fix != want {
		t.Errorf("got  %s\nwant %s", f.Fix, want)
	}
}
