package kube

import (
	"context"
	"encoding/json"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
)

// DryApply asks the API server what it would make of a StatefulSet, Deployment or DaemonSet
// that is applied, and stores nothing. The errors are the API server's.
func (c *Cluster) DryApply(ctx context.Context, object map[string]any) (map[string]any, error) {
	u := unstructured.Unstructured{Object: object}
	namespace := u.GetNamespace()
	if namespace == "" {
		namespace = c.namespace
	}
	body, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	force := true // nothing is stored, so nobody's fields are taken
	answer, err := c.client.AppsV1().RESTClient().Patch(types.ApplyPatchType).Namespace(namespace).
		Resource(strings.ToLower(u.GetKind())+"s").Name(u.GetName()).
		VersionedParams(&meta.PatchOptions{DryRun: []string{meta.DryRunAll}, FieldManager: "envoydbg", Force: &force}, scheme.ParameterCodec).
		Body(body).Do(ctx).Raw()
	if err != nil {
		return nil, err
	}
	var made map[string]any
	if err := json.Unmarshal(answer, &made); err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(made, "metadata", "managedFields") // which nobody reads
	return made, nil
}
