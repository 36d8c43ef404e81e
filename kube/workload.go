package kube

import (
	"context"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// workloadObject is a workload, whatever its kind.
type workloadObject struct {
	version, kind string
	meta          meta.Object
	selector      *meta.LabelSelector
	template      *core.PodTemplateSpec
	// claims are those of which the controller makes one for each pod.
	claims []core.PersistentVolumeClaim
}

// workload gets a workload of the cluster's namespace.
func (c *Cluster) workload(ctx context.Context, kind, name string) (*workloadObject, error) {
	apps, options := c.client.AppsV1(), meta.GetOptions{}
	switch _, resource := workload(kind); resource {
	case "statefulsets":
		o, err := apps.StatefulSets(c.namespace).Get(ctx, name, options)
		return statefulSet(o), err
	case "deployments":
		o, err := apps.Deployments(c.namespace).Get(ctx, name, options)
		return deployment(o), err
	case "daemonsets":
		o, err := apps.DaemonSets(c.namespace).Get(ctx, name, options)
		return daemonSet(o), err
	case "replicasets":
		o, err := apps.ReplicaSets(c.namespace).Get(ctx, name, options)
		return &workloadObject{"apps/v1", "ReplicaSet", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	case "jobs":
		o, err := c.client.BatchV1().Jobs(c.namespace).Get(ctx, name, options)
		return &workloadObject{"batch/v1", "Job", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	}
	return nil, &UnknownKindError{kind}
}

func statefulSet(o *apps.StatefulSet) *workloadObject {
	return &workloadObject{"apps/v1", "StatefulSet", o, o.Spec.Selector, &o.Spec.Template, o.Spec.VolumeClaimTemplates}
}

func deployment(o *apps.Deployment) *workloadObject {
	return &workloadObject{"apps/v1", "Deployment", o, o.Spec.Selector, &o.Spec.Template, nil}
}

func daemonSet(o *apps.DaemonSet) *workloadObject {
	return &workloadObject{"apps/v1", "DaemonSet", o, o.Spec.Selector, &o.Spec.Template, nil}
}

// patch changes a workload whose pods follow its template.
func (c *Cluster) patch(ctx context.Context, w *workloadObject, patch []byte, options meta.PatchOptions) (*workloadObject, error) {
	apps, namespace, name := c.client.AppsV1(), w.meta.GetNamespace(), w.meta.GetName()
	switch w.kind {
	case "StatefulSet":
		o, err := apps.StatefulSets(namespace).Patch(ctx, name, types.JSONPatchType, patch, options)
		return statefulSet(o), err
	case "Deployment":
		o, err := apps.Deployments(namespace).Patch(ctx, name, types.JSONPatchType, patch, options)
		return deployment(o), err
	case "DaemonSet":
		o, err := apps.DaemonSets(namespace).Patch(ctx, name, types.JSONPatchType, patch, options)
		return daemonSet(o), err
	}
	return nil, &UnknownKindError{w.kind}
}

// workloads lists those of a kind with certain labels.
func (c *Cluster) workloads(ctx context.Context, namespace, resource, selector string) (all []*workloadObject, err error) {
	apps, options := c.client.AppsV1(), meta.ListOptions{LabelSelector: selector}
	switch resource {
	case "statefulsets":
		list, err := apps.StatefulSets(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, statefulSet(&list.Items[i]))
		}
	case "deployments":
		list, err := apps.Deployments(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, deployment(&list.Items[i]))
		}
	case "daemonsets":
		list, err := apps.DaemonSets(namespace).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range list.Items {
			all = append(all, daemonSet(&list.Items[i]))
		}
	}
	return all, nil
}
