package kube

import (
	"context"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
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
		return &workloadObject{"apps/v1", "StatefulSet", o, o.Spec.Selector, &o.Spec.Template, o.Spec.VolumeClaimTemplates}, err
	case "deployments":
		o, err := apps.Deployments(c.namespace).Get(ctx, name, options)
		return &workloadObject{"apps/v1", "Deployment", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	case "daemonsets":
		o, err := apps.DaemonSets(c.namespace).Get(ctx, name, options)
		return &workloadObject{"apps/v1", "DaemonSet", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	case "replicasets":
		o, err := apps.ReplicaSets(c.namespace).Get(ctx, name, options)
		return &workloadObject{"apps/v1", "ReplicaSet", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	case "jobs":
		o, err := c.client.BatchV1().Jobs(c.namespace).Get(ctx, name, options)
		return &workloadObject{"batch/v1", "Job", o, o.Spec.Selector, &o.Spec.Template, nil}, err
	}
	return nil, &UnknownKindError{kind}
}
